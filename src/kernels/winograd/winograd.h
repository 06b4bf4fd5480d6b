/* SPDX-License-Identifier: Apache-2.0 */
/** 3×3 convolutions of stride 1 and padding 1 by Winograd's F(4x4, 3x3): a quarter of the multiplications.
 *
 * Tiles of 4×4 pixels go through the input transform, 36 matrix products and the output transform.
 * Transformed weights take four times the room of the weights, so they are made anew in each run: once for
 * all groups of tiles where several share them, else by each thread for the panels that it works through.
 *
 * What stands around a convolution is done on the way, without a map of its own: normalisation and SiLU of
 * the input (a band of rows at a time), nearest upsampling, and the sums of bias, a vector for each picture,
 * and a residual. Scratch:
 *
 *      | zeros [C] | biases [B, N] | inputs [36][tiles, C] | weights [36][panels][channels, columns] |
 *      | products [36][tiles, panels, columns] | band [rows, W, C] | rooms [threads] |
 *
 * Where threads work by themselves, weights and products are in their rooms.
 */
#ifndef PLD_KERNELS_WINOGRAD_WINOGRAD_H
#define PLD_KERNELS_WINOGRAD_WINOGRAD_H

#include "kernels/convolution_operands.h"
#include "kernels/panels.h"

/** out [B, H, W, N] = convolution of x' + bias + vector + residual, where x' [B, H, W, C] is x, normalised or
 *  upsampled if that is asked. weights: N columns, depth C, 9 taps. */
typedef struct pld_winograd {
    pld_panels weights;
    int64_t batch, height, width; /* B, H, W of the output */
    int64_t source_height,
        source_width;       /* of x; other than H, W: nearest upsampling, floor(y·source_height/H) */
    pld_input_change input; /* if any, then no upsampling */
    int64_t room; /* floats that the inputs, and the weights, of one piece of work may take; 0: what suits a
                     cache */
} pld_winograd;

/** Bytes of scratch that a run on so many threads needs. */
size_t pld_winograd_scratch(const pld_kernels *k, const pld_winograd *conv, int threads);

/** Run it. The result does not depend on the number of threads. */
void pld_winograd_run(const pld_kernels *k, const pld_winograd *conv, int threads,
                      const pld_convolution_operands *operands);

#endif
