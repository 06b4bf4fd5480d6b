/* SPDX-License-Identifier: Apache-2.0 */
/** float32 to the blocks of 256 that blocks.c describes: Q4_K, Q5_K and Q6_K.
 *
 * What is looked for is the least Σ (x − x̂)². Q4_K and Q5_K have parts of 32 with x̂ = (d·s)·q − (m·t): q, s and t whole numbers,
 * s and t of 6 bits, d and m of the whole block. Q6_K has parts of 16 with x̂ = (d·s)·q, all signed.
 *
 *   1. Each part by itself, with scales that are any numbers: for each of some trial steps q is the nearest, and the scale and
 *      the least value for this q are those of linear least squares.
 *   2. d and m such that the largest of them are the largest s and t.
 *   3. A few rounds of the same, in turns: q for s and t; s and t of each part for its q; d and m for all q, s and t. What
 *      does not lower the error is not kept.
 */
#ifndef PLD_KERNELS_PLAIN_QUANTISE_K_H
#define PLD_KERNELS_PLAIN_QUANTISE_K_H

#include "kernels/plain/half_bits.h"
#include "kernels/plain/quantise.h"

enum {
    BLOCK = 256,
    ALL = BLOCK / LANES,
    PART = 32, /* of Q4_K and Q5_K */
    PARTS = BLOCK / PART,
    VECTORS = PART / LANES,
    SHORT = 16, /* a part of Q6_K */
    SHORTS = BLOCK / SHORT,
    SHORT_VECTORS = SHORT / LANES,
    TRIALS = 21,
    ROUNDS = 3
};

/** Whole numbers as float32: they are exact, and are computed with. */
typedef struct k_block {
    float d, m;                         /* of the values that float16 has */
    float scales[SHORTS], least[PARTS]; /* s and t */
    lanes q[ALL];
} k_block;

static inline float nearest(float value, float low, float high) {
    const float bounded = value > high ? high : value >= low ? value : low;
    return (float)(int32_t)(bounded + (bounded < 0 ? -0.5F : 0.5F));
}

/** The nearest value that float16 has. */
static inline float as_half(float value) {
    uint8_t bytes[2];
    return store_half(value, bytes);
}

static inline float ratio(float over, float under) {
    return under > 0 || under < 0 ? over / under : 0;
}

static inline int number_at(const k_block *block, int i) {
    return (int)block->q[i / LANES][i % LANES];
}

#endif
