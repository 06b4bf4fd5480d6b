/* SPDX-License-Identifier: Apache-2.0 */
/** The two products of attention with bfloat16 operands, for a block of keys and a tile of query rows, which
 * are in the lanes. An instruction set may lay keys and values out as it likes; the words of a block are
 * zeros at first, and what no function here writes stays zero. */
#ifndef PLD_KERNELS_VECTOR_ATTENTION_PRODUCTS_H
#define PLD_KERNELS_VECTOR_ATTENTION_PRODUCTS_H

#include "kernels/pairs.h"
#include "kernels/table.h"
#include "kernels/vector/pairs.h"
#include "kernels/vector/product.h"

enum {
    BLOCK_KEYS = 64,
    BLOCK_PAIRS = BLOCK_KEYS / 2,
    LOGIT_WORDS = BLOCK_KEYS * PLD_TILE,                /* a block's logits */
    SCORE_WORDS = LOGIT_WORDS + BLOCK_PAIRS * PLD_TILE, /* and pairs of weights after them */
};

/** Words of a rounded row of head_size numbers, those that are added included. */
int64_t PLD_KERNEL(attention_key_words)(int head_size);

/** Rows [PLD_TILE] that the sums take, those that are added included. */
int64_t PLD_KERNEL(attention_sum_rows)(int head_size);

/** Words of a block of rounded values. */
int64_t PLD_KERNEL(attention_value_words)(int head_size);

/** value [count][head_size], rows `stride` apart, → `to` [value_words], rounded. */
void PLD_KERNEL(attention_round_values)(const float *value, int64_t stride, int64_t count, int head_size,
                                        uint32_t *to);

/** logits [count][PLD_TILE] = keys [count][key_words] · query [key_words][PLD_TILE]; `logits` has room for
 * BLOCK_KEYS. */
void PLD_KERNEL(attention_key_product)(const uint32_t *keys, int64_t count, int head_size,
                                       const uint32_t *query, float *logits);

/** sums [sum_rows][PLD_TILE] (+)= values · weights [pairs of count][PLD_TILE]; `weights` has room for
 * BLOCK_PAIRS, and rows past its own may be written. */
void PLD_KERNEL(attention_value_product)(const uint32_t *values, int64_t count, int head_size,
                                         uint32_t *weights, bool accumulate, float *sums);

/** Around the products of one call, on its thread. */
void PLD_KERNEL(attention_products_begin)(void);
void PLD_KERNEL(attention_products_end)(void);

/** Two rows [count] → words [count], each a pair of their numbers; `later` NULL: zeros. */
__attribute__((nonnull(1, 4))) static inline void join_rows(const float *earlier, const float *later,
                                                            int64_t count, uint32_t *to) {
    const vec zero = {0};
    if (count < PLD_LANES) {
        vec second = later ? load_part(later, (size_t)count) : zero;
        ivec words = join_pairs(load_part(earlier, (size_t)count), second);
        memcpy(to, &words, (size_t)count * sizeof *to);
        return;
    }
    for (int64_t i = 0; i < count; i += PLD_LANES) {
        const int64_t at = i + PLD_LANES <= count ? i : count - PLD_LANES;
        ivec words = join_pairs(load(earlier + at), later ? load(later + at) : zero);
        memcpy(to + at, &words, sizeof words);
    }
}

#endif
