/* SPDX-License-Identifier: Apache-2.0 */
/** The left side of a convolution as a matrix product: a row for each output pixel, of what it sees of the input,
 * [kernel, kernel, C], zeros beyond the edges. Nobody holds that matrix: whoever multiplies a block of it reads the
 * block out of the input into a room that stays in the cache. */
#ifndef PLD_KERNELS_PATCHES_H
#define PLD_KERNELS_PATCHES_H

#include <stdint.h>

typedef struct pld_patches {
    int64_t kernel; /* a side; 0: there are none, the matrix is in memory */
    int64_t stride, pad_before;
    int64_t height, width, channels; /* of x [B, height, width, channels] */
    int64_t out_height, out_width;
} pld_patches;

/** Rows [row, row + rows), of all pictures one after the other, numbers [first, first + count) of each: out
 * [rows, count]. */
void pld_patches_read(const pld_patches *patches, const float *x, int64_t row, int64_t rows, int64_t first,
                      int64_t count, float *out);

#endif
