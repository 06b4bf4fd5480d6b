/* SPDX-License-Identifier: Apache-2.0 */
/* Products of pairs in vectors: keys as they are, values in pairs of keys. */
#include "kernels/vector/attention_products.h"

/* Accumulators, right operand and broadcast: 8·2 + 2 + 1 of 32 registers; taken apart, with AVX2, 2·3 + 6 + 2
 * of 16. */
#if PLD_VECTOR_BYTES == 64
enum { BLOCK_ROWS = 8 };
#define PAIR_RESTS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#else
enum { BLOCK_ROWS = 2 };
#define PAIR_RESTS(X) X(1)
#endif

int64_t PLD_KERNEL(attention_key_words)(int head_size) {
    return pld_pair_count(head_size);
}

int64_t PLD_KERNEL(attention_sum_rows)(int head_size) {
    return head_size;
}

/** [BLOCK_PAIRS][head_size], pairs of keys. */
int64_t PLD_KERNEL(attention_value_words)(int head_size) {
    return (int64_t)BLOCK_PAIRS * head_size;
}

void PLD_KERNEL(attention_products_begin)(void) {
}

void PLD_KERNEL(attention_products_end)(void) {
}

void PLD_KERNEL(attention_round_values)(const float *value, int64_t stride, int64_t count, int head_size,
                                        uint32_t *to) {
    for (int64_t key = 0; key < count; key += 2, value += 2 * stride, to += head_size) {
        join_rows(value, key + 1 < count ? value + stride : NULL, head_size, to);
    }
}

PLD_INLINE void block_product(const int rows, const uint32_t *a, int64_t a_row, int64_t a_step, int64_t pairs,
                              const uint32_t *b, bool accumulate, float *c) {
    vec sums[BLOCK_ROWS][PLD_TILE_VECTORS];
    for (int m = 0; m < rows; m++) {
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            sums[m][v] = (vec){0};
        }
    }
    for (int64_t k = 0; k < pairs; k++) {
        ivec right[PLD_TILE_VECTORS];
        for (int64_t v = 0; v < PLD_TILE_VECTORS; v++) {
            right[v] = load_pairs(b + k * PLD_TILE + v * PLD_LANES);
        }
        for (int m = 0; m < rows; m++) {
            ivec left = splat_pair(a[m * a_row + k * a_step]);
            for (int v = 0; v < PLD_TILE_VECTORS; v++) {
                sums[m][v] = add_pairs(sums[m][v], right[v], left);
            }
        }
    }
    for (int64_t m = 0; m < rows; m++) {
        for (int64_t v = 0; v < PLD_TILE_VECTORS; v++) {
            float *at = c + m * PLD_TILE + v * PLD_LANES;
            store(at, accumulate ? load(at) + sums[m][v] : sums[m][v]);
        }
    }
}

/** c [rows, PLD_TILE] = a·b, or c + a·b; a(m, k) = a[m·a_row + k·a_step], b [pairs][PLD_TILE]. */
static void product_of_pairs(const uint32_t *a, int64_t rows, int64_t a_row, int64_t a_step, int64_t pairs,
                             const uint32_t *b, bool accumulate, float *c) {
    int64_t m = 0;
    for (; m + BLOCK_ROWS <= rows; m += BLOCK_ROWS) {
        block_product(BLOCK_ROWS, a + m * a_row, a_row, a_step, pairs, b, accumulate, c + m * PLD_TILE);
    }
    a += m * a_row;
    c += m * PLD_TILE;
    switch (rows - m) {
#define PAIR_REST(count)                                                                                     \
    case count:                                                                                              \
        block_product(count, a, a_row, a_step, pairs, b, accumulate, c);                                     \
        break;
        PAIR_RESTS(PAIR_REST)
#undef PAIR_REST
    default:
        break;
    }
}

void PLD_KERNEL(attention_key_product)(const uint32_t *keys, int64_t count, int head_size,
                                       const uint32_t *query, float *logits) {
    const int64_t pairs = pld_pair_count(head_size);
    product_of_pairs(keys, count, pairs, 1, pairs, query, false, logits);
}

void PLD_KERNEL(attention_value_product)(const uint32_t *values, int64_t count, int head_size,
                                         uint32_t *weights, bool accumulate, float *sums) {
    product_of_pairs(values, head_size, 1, head_size, pld_pair_count(count), weights, accumulate, sums);
}
