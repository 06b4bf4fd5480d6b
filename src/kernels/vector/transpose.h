/* SPDX-License-Identifier: Apache-2.0 */
/** Rows into lanes and back, eight by eight. */
#ifndef PLD_KERNELS_VECTOR_TRANSPOSE_H
#define PLD_KERNELS_VECTOR_TRANSPOSE_H

#include <string.h>

#include "kernels/vector/product.h"

typedef float vec8 __attribute__((vector_size(32)));

enum { PLD_EDGE = 8 };

/** out [8][8] = inᵀ, rows `in_stride` and `out_stride` apart. */
PLD_INLINE void transpose_8x8(const float *in, int64_t in_stride, float *out, int64_t out_stride) {
    vec8 r[8], s[8];
    for (int i = 0; i < 8; i++) {
        memcpy(&r[i], in + i * in_stride, sizeof r[i]);
    }
    for (int i = 0; i < 8; i += 2) { /* pairs of elements within half registers */
        s[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        s[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < 8; i += 4) { /* fours */
        for (int j = 0; j < 2; j++) {
            r[i + 2 * j] = __builtin_shufflevector(s[i + j], s[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            r[i + 2 * j + 1] = __builtin_shufflevector(s[i + j], s[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    }
    for (int i = 0; i < 4; i++) { /* half registers */
        s[i] = __builtin_shufflevector(r[i], r[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        s[i + 4] = __builtin_shufflevector(r[i], r[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
    for (int i = 0; i < 8; i++) {
        memcpy(out + i * out_stride, &s[i], sizeof s[i]);
    }
}

/** in [rows <= PLD_TILE][columns], rows `in_stride` apart → tile [columns][PLD_TILE]; lanes past `rows` are
 * 0. */
static inline void rows_to_tile(const float *in, int64_t in_stride, int64_t rows, int64_t columns,
                                float *tile) {
    float edge[PLD_EDGE * PLD_EDGE];
    for (int64_t row = 0; row < PLD_TILE; row += PLD_EDGE) {
        int64_t height = rows - row < 0 ? 0 : rows - row < PLD_EDGE ? rows - row : PLD_EDGE;
        for (int64_t column = 0; column < columns; column += PLD_EDGE) {
            int64_t width = columns - column < PLD_EDGE ? columns - column : PLD_EDGE;
            float *out = tile + column * PLD_TILE + row;
            if (height == PLD_EDGE && width == PLD_EDGE) {
                transpose_8x8(in + row * in_stride + column, in_stride, out, PLD_TILE);
                continue;
            }
            memset(edge, 0, sizeof edge);
            for (int64_t i = 0; i < height; i++) {
                memcpy(edge + i * PLD_EDGE, in + (row + i) * in_stride + column,
                       (size_t)width * sizeof(float));
            }
            for (int64_t i = 0; i < width; i++) {
                for (int64_t j = 0; j < PLD_EDGE; j++) {
                    out[i * PLD_TILE + j] = edge[j * PLD_EDGE + i];
                }
            }
        }
    }
}

/** in [rows, columns], rows `in_row` apart → out [columns, rows], rows `out_row` apart. */
static inline void turn_over(const float *in, int64_t in_row, int64_t rows, int64_t columns, float *out,
                             int64_t out_row) {
    for (int64_t row = 0; row < rows; row += PLD_EDGE) {
        const int64_t height = rows - row < PLD_EDGE ? rows - row : PLD_EDGE;
        for (int64_t column = 0; column < columns; column += PLD_EDGE) {
            const int64_t width = columns - column < PLD_EDGE ? columns - column : PLD_EDGE;
            const float *from = in + row * in_row + column;
            float *to = out + column * out_row + row;
            if (height == PLD_EDGE && width == PLD_EDGE) {
                transpose_8x8(from, in_row, to, out_row);
                continue;
            }
            for (int64_t i = 0; i < width; i++) {
                for (int64_t j = 0; j < height; j++) {
                    to[i * out_row + j] = from[j * in_row + i];
                }
            }
        }
    }
}

/** tile [columns][PLD_TILE] → out [rows <= PLD_TILE][columns], rows `out_stride` apart. */
static inline void tile_to_rows(const float *tile, int64_t rows, int64_t columns, float *out,
                                int64_t out_stride) {
    turn_over(tile, PLD_TILE, columns, rows, out, out_stride);
}

#endif
