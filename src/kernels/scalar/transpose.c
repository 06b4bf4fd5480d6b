/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/cuts.h"
#include "kernels/table.h"

/* Square by square, so that both sides use whole cache lines. */
void PLD_KERNEL(transpose)(const float *in, int64_t in_row, int64_t rows, int64_t columns, float *out,
                           int64_t out_row) {
    for (int64_t row = 0; row < rows; row += PLD_LINE) {
        const int64_t row_end = pld_smaller(row + PLD_LINE, rows);
        for (int64_t column = 0; column < columns; column += PLD_LINE) {
            const int64_t column_end = pld_smaller(column + PLD_LINE, columns);
            for (int64_t c = column; c < column_end; c++) {
                for (int64_t r = row; r < row_end; r++) {
                    out[c * out_row + r] = in[r * in_row + c];
                }
            }
        }
    }
}
