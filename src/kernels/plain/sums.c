/* SPDX-License-Identifier: Apache-2.0 */
/* Sums: plain C that the compiler vectorises for each instruction set. */
#include "kernels/table.h"

void PLD_KERNEL(add)(const float *a, const float *b, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) {
        out[i] = a[i] + b[i];
    }
}

void PLD_KERNEL(add_scaled)(const float *a, const float *b, float factor, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) {
        out[i] = a[i] + factor * b[i];
    }
}

void PLD_KERNEL(add_rows)(const float *x, int64_t tokens, int64_t channels, const float *vector, float *out) {
    for (int64_t token = 0; token < tokens; token++) {
        PLD_KERNEL(add)(x + token * channels, vector, (size_t)channels, out + token * channels);
    }
}

void PLD_KERNEL(gated_add)(const float *residual, const float *x, const float *gate, int64_t tokens,
                           int64_t channels, float *out) {
    for (int64_t token = 0; token < tokens; token++) {
        const int64_t at = token * channels;
        for (int64_t c = 0; c < channels; c++) {
            out[at + c] = residual[at + c] + gate[c] * x[at + c];
        }
    }
}
