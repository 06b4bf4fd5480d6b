/* SPDX-License-Identifier: Apache-2.0 */
/* A matrix turned over in blocks of eight by eight. */
#include "kernels/vector/transpose.h"

#include "kernels/cuts.h"
#include "kernels/table.h"

void PLD_KERNEL(transpose)(const float *in, int64_t in_row, int64_t rows, int64_t columns, float *out,
                           int64_t out_row) {
    for (int64_t row = 0; row < rows; row += PLD_EDGE) {
        const int64_t height = pld_smaller(PLD_EDGE, rows - row);
        for (int64_t column = 0; column < columns; column += PLD_EDGE) {
            const int64_t width = pld_smaller(PLD_EDGE, columns - column);
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
