/* SPDX-License-Identifier: Apache-2.0 */
/** The panels of pair_product: weights as pairs of bfloat16, two bytes each,
 *
 *      [panel][tap][pair of the depth][column in the panel][2]
 *
 * with zeros for columns past the end and for the second half of an odd depth's last pair. All of a tap
 * stands together, because the taps of a convolution read different pixels.
 *
 * Split numbers are the sum of two of bfloat16, x = high + low within 2^-17 of x (every float16 number but
 * the smallest exactly): all high pairs of a tap, then all low ones. With three of the four products of
 * halves a product is within some 2^-16 of that in float32 (Henry, Tang, Heinecke: "Leveraging the bfloat16
 * Artificial Intelligence Datatype For Higher-Precision Computations", 2019), which is worth it where
 * bfloat16 is more than three times as fast.
 */
#ifndef PLD_KERNELS_PAIRS_H
#define PLD_KERNELS_PAIRS_H

#include "kernels/panels.h"

/** Words that hold so many numbers. */
static inline int64_t pld_pair_count(int64_t depth) {
    return (depth + 1) / 2;
}

/** Words of a pair of numbers: 1, 2 if they are split, 0 where the type is none of pair_product's. */
static inline int64_t pld_pair_words(const pld_panels *shape) {
    return shape->type == PLD_PANEL_PAIRS ? 1 : shape->type == PLD_PANEL_SPLIT ? 2 : 0;
}

/** pld_panels_bytes and pld_panels_pack of these types. */
size_t pld_pairs_bytes(const pld_kernels *k, const pld_panels *shape);
void pld_pairs_pack(const pld_kernels *k, const pld_panels *shape, const float *weights, int64_t panel,
                    void *packed);

/** Pairs [first, …) of one tap of a panel; the high ones. */
static inline const uint32_t *pld_pairs_at(const pld_kernels *k, const pld_panels *shape, const void *packed,
                                           int64_t panel, int64_t tap, int64_t first) {
    const int64_t pairs =
        (panel * shape->taps + tap) * pld_pair_words(shape) * pld_pair_count(shape->depth) + first;
    return (const uint32_t *)packed + pairs * k->panel_columns();
}

/** Round `count` floats to the nearest bfloat16 (ties to even) into pairs [pld_pair_count(count)]. */
void pld_pairs_round(const pld_kernels *k, const float *from, int64_t count, uint32_t *pairs);

/** Split them into high and low pairs. */
void pld_pairs_split(const pld_kernels *k, const float *from, int64_t count, uint32_t *high, uint32_t *low);

#endif
