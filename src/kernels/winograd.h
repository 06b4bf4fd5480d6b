/* SPDX-License-Identifier: Apache-2.0 */
/** 3×3 convolutions of stride 1 and padding 1 by Winograd's F(4x4, 3x3): a quarter of the multiplications.
 *
 *  Tiles of 4×4 pixels go through the input transform, 36 matrix products and the output transform.
 * Transformed weights take four times the room of the weights, so they are made anew in each run, for as many
 * output channels at a time as fit the cache; their cost is that of a few tiles. Scratch:
 *
 *      | zeros [C] | inputs [36][tiles, C] | weights [36][panels][C, columns] | products [36][tiles, columns]
 * | rooms |
 */
#ifndef PLD_KERNELS_WINOGRAD_H
#define PLD_KERNELS_WINOGRAD_H

#include "kernels/panels.h"

/** out [B, H, W, N] = convolution of x [B, H, W, C] + bias, or out += that. weights: N columns, depth C, 9
 * taps. */
typedef struct pld_winograd {
    pld_panels weights;
    int64_t batch, height, width;
    bool accumulate;
    int64_t room; /* floats that the inputs, and the weights, of one piece of work may take; 0: what suits a
                     cache */
} pld_winograd;

/** Bytes of scratch that a run on so many threads needs. */
size_t pld_winograd_scratch(const pld_kernels *k, const pld_winograd *conv, int threads);

/** Run it; `bias` [N] or NULL; scratch 64-byte aligned. The result does not depend on the number of threads.
 */
void pld_winograd_run(const pld_kernels *k, const pld_winograd *conv, int threads, const float *x,
                      const void *packed, const float *bias, float *out, void *scratch);

#endif
