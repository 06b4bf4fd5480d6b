/* SPDX-License-Identifier: Apache-2.0 */
/** Intel AMX: eight registers of two dimensions, and one operation on them, C [M, N] += A [M, K]·B [K, N]
 * with bfloat16 operands and float32 sums, or with 8-bit integers and 32-bit ones, four in a word where those are two. A lies row by row; B in pairs of rows, [K/2][N][2], as the panels
 * of kernels/pairs.h do. The shape of every register is part of a configuration that a thread loads. */
#ifndef PLD_KERNELS_AMX_TILES_H
#define PLD_KERNELS_AMX_TILES_H

#include <immintrin.h>
#include <stdbool.h>

#include "kernels/vector/vector.h"

enum {
    TILE_ROWS = 16,             /* of A and C */
    BLOCK_ROWS = 2 * TILE_ROWS, /* of the two tiles of A, or of C, above each other */
    TILE_PAIRS = 16,            /* of K, in a row of A and rows of B */
    TILE_COLUMNS = 16,
    RIGHT_COLUMNS = 2 * TILE_COLUMNS, /* of a right operand in memory */
    TILE_BYTES = 64                   /* of a row */
};

/** Which register holds what: C is two by two. */
#define TILE_C_UPPER_LEFT  0
#define TILE_C_UPPER_RIGHT 1
#define TILE_C_LOWER_LEFT  2
#define TILE_C_LOWER_RIGHT 3
#define TILE_A_UPPER       4
#define TILE_A_LOWER       5
#define TILE_B_LEFT        6
#define TILE_B_RIGHT       7

/** The operand of LDTILECFG. */
typedef struct tile_shapes {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_shapes;

_Static_assert(sizeof(tile_shapes) == 64, "the hardware's layout");

/** Stores before reach memory before tiles are loaded: the compiler does not see that those read it. */
#define TILE_MEMORY_BARRIER() __asm__ volatile("" ::: "memory")

/** Give the registers of A and C their rows, 1 … TILE_ROWS above and 0 … TILE_ROWS below. Clears them all. */
static inline void shape_tiles(int64_t upper, int64_t lower) {
    tile_shapes shapes = {.palette = 1};
    const int64_t rows[8] = {upper, upper, lower, lower, upper, lower, TILE_PAIRS, TILE_PAIRS};
    for (int i = 0; i < 8; i++) {
        shapes.rows[i] = (uint8_t)rows[i];
        shapes.row_bytes[i] = rows[i] ? TILE_BYTES : 0;
    }
    TILE_MEMORY_BARRIER();
    _tile_loadconfig(&shapes);
}

/* The operations below are on two by two tiles of C, or on the upper two. */

PLD_INLINE void clear_sums(bool lower) {
    _tile_zero(TILE_C_UPPER_LEFT);
    _tile_zero(TILE_C_UPPER_RIGHT);
    if (lower) {
        _tile_zero(TILE_C_LOWER_LEFT);
        _tile_zero(TILE_C_LOWER_RIGHT);
    }
}

/** C = at [rows][RIGHT_COLUMNS], rows `row` floats apart; the lower tiles begin after `upper` rows. */
PLD_INLINE void load_sums(int64_t upper, bool lower, const float *at, int64_t row) {
    const int64_t stride = row * (int64_t)sizeof *at;
    TILE_MEMORY_BARRIER();
    _tile_loadd(TILE_C_UPPER_LEFT, at, stride);
    _tile_loadd(TILE_C_UPPER_RIGHT, at + TILE_COLUMNS, stride);
    if (lower) {
        _tile_loadd(TILE_C_LOWER_LEFT, at + upper * row, stride);
        _tile_loadd(TILE_C_LOWER_RIGHT, at + upper * row + TILE_COLUMNS, stride);
    }
}

PLD_INLINE void store_sums(int64_t upper, bool lower, float *at, int64_t row) {
    const int64_t stride = row * (int64_t)sizeof *at;
    _tile_stored(TILE_C_UPPER_LEFT, at, stride);
    _tile_stored(TILE_C_UPPER_RIGHT, at + TILE_COLUMNS, stride);
    if (lower) {
        _tile_stored(TILE_C_LOWER_LEFT, at + upper * row, stride);
        _tile_stored(TILE_C_LOWER_RIGHT, at + upper * row + TILE_COLUMNS, stride);
    }
    TILE_MEMORY_BARRIER();
}

PLD_INLINE void multiply_tiles(bool lower) {
    _tile_dpbf16ps(TILE_C_UPPER_LEFT, TILE_A_UPPER, TILE_B_LEFT);
    _tile_dpbf16ps(TILE_C_UPPER_RIGHT, TILE_A_UPPER, TILE_B_RIGHT);
    if (lower) {
        _tile_dpbf16ps(TILE_C_LOWER_LEFT, TILE_A_LOWER, TILE_B_LEFT);
        _tile_dpbf16ps(TILE_C_LOWER_RIGHT, TILE_A_LOWER, TILE_B_RIGHT);
    }
}

/** The same with four 8-bit integers in a word and 32-bit sums. */
PLD_INLINE void multiply_integer_tiles(bool lower) {
    _tile_dpbssd(TILE_C_UPPER_LEFT, TILE_A_UPPER, TILE_B_LEFT);
    _tile_dpbssd(TILE_C_UPPER_RIGHT, TILE_A_UPPER, TILE_B_RIGHT);
    if (lower) {
        _tile_dpbssd(TILE_C_LOWER_LEFT, TILE_A_LOWER, TILE_B_LEFT);
        _tile_dpbssd(TILE_C_LOWER_RIGHT, TILE_A_LOWER, TILE_B_RIGHT);
    }
}

/** A = [rows][TILE_PAIRS], the rows of the upper and of the lower tile (NULL: none) `row` words apart. */
PLD_INLINE void load_left(const uint32_t *upper, const uint32_t *lower, int64_t row) {
    const int64_t stride = row * (int64_t)sizeof *upper;
    _tile_loadd(TILE_A_UPPER, upper, stride);
    if (lower) {
        _tile_loadd(TILE_A_LOWER, lower, stride);
    }
}

/** B = right [TILE_PAIRS][RIGHT_COLUMNS]. */
PLD_INLINE void load_right(const uint32_t *right) {
    const int64_t stride = RIGHT_COLUMNS * (int64_t)sizeof *right;
    _tile_loadd(TILE_B_LEFT, right, stride);
    _tile_loadd(TILE_B_RIGHT, right + TILE_COLUMNS, stride);
}

/** C += A·B. */
PLD_INLINE void add_products(const uint32_t *upper, const uint32_t *lower, int64_t left_row,
                             const uint32_t *right) {
    load_right(right);
    load_left(upper, lower, left_row);
    multiply_tiles(lower != NULL);
}

/** C += the three products of the halves of split operands, low halves so many words after the high ones. */
PLD_INLINE void add_split_products(const uint32_t *upper, const uint32_t *lower, int64_t left_row,
                                   int64_t left_low, const uint32_t *right, int64_t right_low) {
    load_right(right);
    load_left(upper + left_low, lower ? lower + left_low : NULL, left_row);
    multiply_tiles(lower != NULL);
    load_left(upper, lower, left_row);
    multiply_tiles(lower != NULL);
    load_right(right + right_low);
    multiply_tiles(lower != NULL);
}

#endif
