/* SPDX-License-Identifier: Apache-2.0 */
/** The one matrix product of attention, with query rows in the lanes. */
#ifndef PLD_KERNELS_VECTOR_PRODUCT_H
#define PLD_KERNELS_VECTOR_PRODUCT_H

#include "kernels/table.h"
#include "kernels/vector/vector.h"

/* Query rows of a tile: vectors side by side give independent chains to every lane-wise pass. With AVX2, 3 ×
 * 4 accumulators, 3 of the right operand and 1 broadcast fill the 16 registers, for 7 loads a dozen
 * multiply-adds; AVX-512 has 32 registers. */
#if PLD_VECTOR_BYTES == 64
enum { PLD_TILE_VECTORS = 2, PLD_BLOCK_ROWS = 8 };
#else
enum { PLD_TILE_VECTORS = 3, PLD_BLOCK_ROWS = 4 };
#endif
enum { PLD_TILE = PLD_TILE_VECTORS * PLD_LANES };

/** c [rows, PLD_TILE] (+)= a·b; a(m, k) = a[m·a_row + k·a_step], b [depth, PLD_TILE]. With `accumulate` c is
 *  added to. Sums run over k in order, so a row's result does not depend on the others. */
void PLD_KERNEL(tile_product)(const float *a, int64_t a_row, int64_t a_step, int64_t rows, int64_t depth,
                              const float *b, bool accumulate, float *c);

#endif
