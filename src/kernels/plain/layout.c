/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels that only move numbers. */
#include <string.h>

#include "kernels/table.h"

static void copy_floats(float *to, const float *from, int64_t count) {
    memcpy(to, from, (size_t)count * sizeof(float));
}

void PLD_KERNEL(concat_channels)(const float *a, int64_t a_channels, const float *b, int64_t b_channels,
                                 int64_t tokens, float *out) {
    for (int64_t token = 0; token < tokens; token++) {
        float *row = out + token * (a_channels + b_channels);
        copy_floats(row, a + token * a_channels, a_channels);
        copy_floats(row + a_channels, b + token * b_channels, b_channels);
    }
}

void PLD_KERNEL(upsample_nearest)(const float *in, int64_t height, int64_t width, int64_t channels,
                                  int64_t out_height, int64_t out_width, float *out) {
    for (int64_t y = 0; y < out_height; y++) {
        const float *row = in + y * height / out_height * width * channels;
        float *out_row = out + y * out_width * channels;
        for (int64_t x = 0; x < out_width; x++) {
            copy_floats(out_row + x * channels, row + x * width / out_width * channels, channels);
        }
    }
}

enum { PLD_TRANSPOSE_TILE = 16 }; /* 16 floats: a cache line on both sides */

/** in [rows, columns] → out [columns, rows], tile by tile so that both sides use whole cache lines. */
static void transpose(const float *in, int64_t rows, int64_t columns, float *out) {
    for (int64_t row = 0; row < rows; row += PLD_TRANSPOSE_TILE) {
        int64_t row_end = row + PLD_TRANSPOSE_TILE < rows ? row + PLD_TRANSPOSE_TILE : rows;
        for (int64_t column = 0; column < columns; column += PLD_TRANSPOSE_TILE) {
            int64_t column_end =
                column + PLD_TRANSPOSE_TILE < columns ? column + PLD_TRANSPOSE_TILE : columns;
            for (int64_t c = column; c < column_end; c++) {
                for (int64_t r = row; r < row_end; r++) {
                    out[c * rows + r] = in[r * columns + c];
                }
            }
        }
    }
}

void PLD_KERNEL(nchw_to_nhwc)(const float *in, int64_t channels, int64_t tokens, float *out) {
    transpose(in, channels, tokens, out);
}

void PLD_KERNEL(nhwc_to_nchw)(const float *in, int64_t channels, int64_t tokens, float *out) {
    transpose(in, tokens, channels, out);
}
