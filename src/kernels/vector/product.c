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

/** Ask for `depth` floats of some rows. Rows past the end of an array may be asked for: nothing is read, and
 * the address is made without pointer arithmetic. */
PLD_INLINE void fetch_rows(const float *from, int64_t first, int64_t row, int64_t depth) {
    for (int64_t m = first; m < first + PLD_BLOCK_ROWS; m++) {
        for (int64_t k = 0; k < depth; k += 16) { /* a cache line */
            __builtin_prefetch((const void *)((uintptr_t)from + (uintptr_t)(m * row + k) * sizeof(float)));
        }
    }
}

void PLD_KERNEL(tile_product)(const product_left *a, int64_t depth, const float *b, bool accumulate,
                              float *c) {
    int64_t m = 0;
    for (; m + PLD_BLOCK_ROWS <= a->rows; m += PLD_BLOCK_ROWS) {
        if (a->soon) { /* the next rows, and those wanted after this product */
            fetch_rows(a->at, m + PLD_BLOCK_ROWS, a->row, depth);
            fetch_rows(a->soon, m, a->soon_row, depth);
        }
        block_product(PLD_BLOCK_ROWS, a->at + m * a->row, a->row, a->step, depth, b, accumulate,
                      c + m * PLD_TILE);
    }
    const float *at = a->at + m * a->row;
    c += m * PLD_TILE;
    switch (a->rows - m) {
#define PLD_REST(count)                                                                                      \
    case count:                                                                                              \
        block_product(count, at, a->row, a->step, depth, b, accumulate, c);                                  \
        break;
        PLD_REST(1)
        PLD_REST(2)
#if PLD_VECTOR_BYTES == 64
        PLD_REST(3)
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
