/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/vector/transpose.h"

#include "kernels/table.h"

void PLD_KERNEL(transpose)(const float *in, int64_t in_row, int64_t rows, int64_t columns, float *out,
                           int64_t out_row) {
    turn_over(in, in_row, rows, columns, out, out_row);
}
