/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax attention with products of bfloat16 operands, one query row and one key at a time: the
 * specification of the vector version, but for the maximum that a weight is taken from when it is rounded:
 * here the row's, there the largest so far. */
#include <math.h>

#include "kernels/table.h"

size_t PLD_KERNEL(attention_bf16_scratch)(int head_size) {
    return 3 * (size_t)head_size; /* sums in double, the query */
}

int64_t PLD_KERNEL(attention_bf16_queries)(int head_size) {
    (void)head_size;
    return 16;
}

static float rounded(float x) {
    uint16_t bits;
    float value;
    PLD_KERNEL(f32_to_bf16)(&x, 1, &bits);
    PLD_KERNEL(bf16_to_f32)(&bits, 1, &value);
    return value;
}

/** query·key, or −∞ for a key that does not count. */
static float logit(const pld_attention_tile *tile, const float *query, int64_t key) {
    if (tile->key_mask && !tile->key_mask[key]) {
        return -INFINITY;
    }
    double dot = 0;
    for (int i = 0; i < tile->head_size; i++) {
        dot += (double)query[i] * (double)rounded(tile->key[key * tile->key_stride + i]);
    }
    return (float)dot;
}

static void add_value(const pld_attention_tile *tile, int64_t key, float weight, double *sums) {
    for (int i = 0; i < tile->head_size; i++) {
        sums[i] += (double)rounded(weight) * (double)rounded(tile->value[key * tile->value_stride + i]);
    }
}

void PLD_KERNEL(attention_bf16_tile)(const pld_attention_tile *tile, float *scratch) {
    double *sums = (double *)(void *)scratch;
    float *query = scratch + 2 * (int64_t)tile->head_size;
    const float scale = tile->scale * 1.44269504F; /* log2 e: logits are exponents of 2 */
    for (int64_t row = 0; row < tile->queries; row++) {
        float max = -INFINITY;
        double total = 0;
        for (int i = 0; i < tile->head_size; i++) {
            query[i] = rounded(scale * tile->query[row * tile->query_stride + i]);
            sums[i] = 0;
        }
        for (int64_t key = 0; key < tile->keys; key++) {
            const float z = logit(tile, query, key);
            max = z <= max ? max : z; /* NaN stays */
        }
        for (int64_t key = 0; key < tile->keys; key++) {
            const float z = logit(tile, query, key);
            if (z != -INFINITY) {
                const float weight = (float)exp2((double)z - (double)max);
                total += (double)rounded(weight);
                add_value(tile, key, weight, sums);
            }
        }
        for (int i = 0; i < tile->head_size; i++) {
            tile->out[row * tile->out_stride + i] = total == 0 ? 0 : (float)(sums[i] / total);
        }
    }
}
