/* SPDX-License-Identifier: Apache-2.0 */
/* A block of accumulators that stays in registers, and its remainders. */
#include "kernels/vector/product.h"

#include "kernels/cuts.h"

/* Vectors of the right operand that stay in registers, and steps of the depth that share the loop's own
 * instructions: AVX2's 16 registers hold 12 sums, 3 of 4 vectors and 1 broadcast. */
#if PLD_VECTOR_BYTES == 64
enum { HELD = PLD_TILE_VECTORS, STEPS = 1 };
#else
enum { HELD = PLD_TILE_VECTORS - 1, STEPS = 4 };
#endif

/** sums += column a [rows] · row b [PLD_TILE]. */
PLD_INLINE void add_step(const int rows, const float *a, int64_t a_row, const float *b,
                         vec sums[PLD_BLOCK_ROWS][PLD_TILE_VECTORS]) {
    vec right[HELD];
    for (int64_t v = 0; v < HELD; v++) {
        right[v] = load(b + v * PLD_LANES);
    }
    for (int m = 0; m < rows; m++) {
        const vec left = splat(a[m * a_row]);
        for (int64_t v = 0; v < HELD; v++) {
            sums[m][v] = multiply_add_in_order(sums[m][v], left, right[v]);
        }
        for (int64_t v = HELD; v < PLD_TILE_VECTORS; v++) {
            sums[m][v] = multiply_add_from(sums[m][v], left, b + v * PLD_LANES);
        }
    }
}

PLD_INLINE void block_product(const int rows, const float *a, int64_t a_row, int64_t a_step, int64_t depth,
                              const float *b, bool accumulate, float *c) {
    vec sums[PLD_BLOCK_ROWS][PLD_TILE_VECTORS];
    for (int m = 0; m < rows; m++) {
        for (int64_t v = 0; v < PLD_TILE_VECTORS; v++) {
            sums[m][v] = (vec){0};
        }
    }
    int64_t k = 0;
    for (; k + STEPS <= depth; k += STEPS) {
        for (int step = 0; step < STEPS; step++, a += a_step, b += PLD_TILE) {
            add_step(rows, a, a_row, b, sums);
        }
    }
    for (; k < depth; k++, a += a_step, b += PLD_TILE) {
        add_step(rows, a, a_row, b, sums);
    }
    for (int64_t m = 0; m < rows; m++) {
        for (int64_t v = 0; v < PLD_TILE_VECTORS; v++) {
            float *at = c + m * PLD_TILE + v * PLD_LANES;
            store(at, accumulate ? load(at) + sums[m][v] : sums[m][v]);
        }
    }
}

/** Ask for rows [first, first + PLD_BLOCK_ROWS). Rows past the end of an array may be asked for: nothing is
 * read, and the address is made without pointer arithmetic. */
PLD_INLINE void fetch_rows(const product_soon *soon, int64_t first, int64_t depth) {
    for (int64_t m = first; soon->at && m < first + PLD_BLOCK_ROWS; m++) {
        for (int64_t k = 0; k < depth; k += PLD_LINE) {
            const int64_t at = (soon->ahead + m) * soon->row + k;
            __builtin_prefetch((const void *)((uintptr_t)soon->at + (uintptr_t)at * sizeof(float)));
        }
    }
}

void PLD_KERNEL(tile_product)(const product_left *a, int64_t depth, const float *b, bool accumulate,
                              float *c) {
    int64_t m = 0;
    for (; m + PLD_BLOCK_ROWS <= a->rows; m += PLD_BLOCK_ROWS) {
        fetch_rows(&a->soon[0], m, depth);
        fetch_rows(&a->soon[1], m, depth);
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
