/* SPDX-License-Identifier: Apache-2.0 */
/* A block of accumulators that stays in registers, and its remainders. */
#include "kernels/vector/product.h"

PLD_INLINE void block_product(const int rows, const float *a, int64_t a_row, int64_t a_step, int64_t depth,
                              const float *b, bool accumulate, float *c) {
    vec sums[PLD_BLOCK_ROWS][PLD_TILE_VECTORS];
    for (int m = 0; m < rows; m++) {
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            sums[m][v] = (vec){0};
        }
    }
    for (int64_t k = 0; k < depth; k++) {
        vec right[PLD_TILE_VECTORS];
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            right[v] = load(b + k * PLD_TILE + v * PLD_LANES);
        }
        for (int m = 0; m < rows; m++) {
            vec left = splat(a[m * a_row + k * a_step]);
            for (int v = 0; v < PLD_TILE_VECTORS; v++) {
                sums[m][v] += left * right[v];
            }
        }
    }
    for (int m = 0; m < rows; m++) {
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            float *at = c + m * PLD_TILE + v * PLD_LANES;
            store(at, accumulate ? load(at) + sums[m][v] : sums[m][v]);
        }
    }
}

void PLD_KERNEL(tile_product)(const float *a, int64_t a_row, int64_t a_step, int64_t rows, int64_t depth,
                              const float *b, bool accumulate, float *c) {
    int64_t m = 0;
    for (; m + PLD_BLOCK_ROWS <= rows; m += PLD_BLOCK_ROWS) {
        block_product(PLD_BLOCK_ROWS, a + m * a_row, a_row, a_step, depth, b, accumulate, c + m * PLD_TILE);
    }
    a += m * a_row;
    c += m * PLD_TILE;
    switch (rows - m) {
#define PLD_REST(count)                                                                                      \
    case count:                                                                                              \
        block_product(count, a, a_row, a_step, depth, b, accumulate, c);                                     \
        break;
        PLD_REST(1)
        PLD_REST(2)
        PLD_REST(3)
#if PLD_VECTOR_BYTES == 64
        PLD_REST(4)
        PLD_REST(5)
        PLD_REST(6)
        PLD_REST(7)
#endif
#undef PLD_REST
    default:
        break;
    }
}
