/* SPDX-License-Identifier: Apache-2.0 */
/** The panels of pair_product: weights as pairs of bfloat16, two bytes each,
 *
 *      [panel][tap][pair of the depth][column in the panel][2]
 *
 *  with zeros for columns past the end and for the second half of an odd depth's last pair. All of a tap
 * stands together, because the taps of a convolution read different pixels.
 */
#ifndef PLD_KERNELS_PAIRS_H
#define PLD_KERNELS_PAIRS_H

#include "kernels/panels.h"

/** Words that hold so many numbers. */
static inline int64_t pld_pair_count(int64_t depth) {
    return (depth + 1) / 2;
}

/** pld_panels_bytes and pld_panels_pack of this type. */
size_t pld_pairs_bytes(const pld_kernels *k, const pld_panels *shape);
void pld_pairs_pack(const pld_kernels *k, const pld_panels *shape, const float *weights, int64_t panel,
                    void *packed);

/** Pairs [first, …) of one tap of a panel. */
static inline const uint32_t *pld_pairs_at(const pld_kernels *k, const pld_panels *shape, const void *packed,
                                           int64_t panel, int64_t tap, int64_t first) {
    const int64_t pairs = (panel * shape->taps + tap) * pld_pair_count(shape->depth) + first;
    return (const uint32_t *)packed + pairs * k->panel_columns();
}

/** Round `count` floats to the nearest bfloat16 (ties to even) into pairs [pld_pair_count(count)]. */
void pld_pairs_round(const pld_kernels *k, const float *from, int64_t count, uint32_t *pairs);

#endif
