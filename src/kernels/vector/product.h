/* SPDX-License-Identifier: Apache-2.0 */
/** The one matrix product of attention, with query rows in the lanes. */
#ifndef PLD_KERNELS_VECTOR_PRODUCT_H
#define PLD_KERNELS_VECTOR_PRODUCT_H

#include "kernels/table.h"
#include "kernels/vector/vector.h"

/* Query rows of a tile: vectors side by side give independent chains to every lane-wise pass, and 32 rows
 * divide the usual maps without a rest. With AVX2, 4 × 3 accumulators, 3 of the right operand and 1 broadcast
 * fill the 16 registers; AVX-512 has 32. */
#if PLD_VECTOR_BYTES == 64
enum { PLD_TILE_VECTORS = 2, PLD_BLOCK_ROWS = 8 };
#else
enum { PLD_TILE_VECTORS = 4, PLD_BLOCK_ROWS = 3 };
#endif
enum { PLD_TILE = PLD_TILE_VECTORS * PLD_LANES };

/** Rows that are wanted soon: those from row `ahead` of `at` on, `row` floats apart; at NULL: none. */
typedef struct product_soon {
    const float *at;
    int64_t row, ahead;
} product_soon;

/** The left operand of a product, a(m, k) = at[m·row + k·step], and what is fetched into the cache on the
 * way: as many rows, of as many floats as the depth. */
typedef struct product_left {
    const float *at;
    int64_t rows, row, step;
    product_soon soon[2];
} product_left;

/** c [a.rows, PLD_TILE] = a·b, or c + a·b with `accumulate`; b [depth, PLD_TILE]. Sums run over k in order,
 * so a row's result does not depend on the others. */
void PLD_KERNEL(tile_product)(const product_left *a, int64_t depth, const float *b, bool accumulate,
                              float *c);

#endif
