/* SPDX-License-Identifier: Apache-2.0 */
/* Linear attention, a token at a time: the specification of the vector version. */
#include "kernels/table.h"

void PLD_KERNEL(linear_attention_sums)(const pld_linear_tokens *t) {
    const int64_t size = t->head_size;
    for (int64_t i = 0; i < size; i++) {
        for (int64_t c = 0; c <= size; c++) {
            float *sum = c < size ? &t->sums[i * size + c] : &t->sums[size * size + i];
            double total = 0;
            for (int64_t token = 0; token < t->tokens; token++) {
                const double value = c < size ? (double)t->value[token * size + c] : 1;
                total += (double)t->key[token * size + i] * value;
            }
            *sum = (float)((double)*sum + total);
        }
    }
}

void PLD_KERNEL(linear_attention_rows)(const pld_linear_tokens *t) {
    const int64_t size = t->head_size;
    for (int64_t token = 0; token < t->tokens; token++) {
        const float *query = t->query + token * size;
        double total = (double)t->epsilon;
        for (int64_t i = 0; i < size; i++) {
            total += (double)query[i] * (double)t->sums[size * size + i];
        }
        for (int64_t c = 0; c < size; c++) {
            double sum = 0;
            for (int64_t i = 0; i < size; i++) {
                sum += (double)query[i] * (double)t->sums[i * size + c];
            }
            t->out[token * t->out_stride + c] = (float)(sum / total);
        }
    }
}
