/* SPDX-License-Identifier: Apache-2.0 */
/** From exact sums of integers to the output of a product of them. */
#ifndef PLD_KERNELS_VECTOR_INT8_OUTPUT_H
#define PLD_KERNELS_VECTOR_INT8_OUTPUT_H

#include "kernels/vector/panel_output.h"

/** Exact sums of one row. */
typedef struct integer_sums {
    ivec low, high;
} integer_sums;

/** The sum · (scale of the row · scale of the column) + bias. */
PLD_INLINE vec scaled_sum(ivec sum, vec row_scale, const float *scales, const float *bias, int64_t lanes) {
    const vec scale = rounded(row_scale * load(scales));
    return multiply_add(bias ? load_lanes(bias, lanes) : (vec){0}, __builtin_convertvector(sum, vec), scale);
}

/** Of rows [row, row + rows). */
PLD_INLINE void write_integers(const pld_int8_product *p, const int rows, int64_t row,
                               const integer_sums *sums) {
    row_sums scaled[PANEL_BLOCK_ROWS];
    pld_panel_output to = p->to;
    const int64_t low = to.columns < PLD_LANES ? to.columns : PLD_LANES, high = to.columns - low;
    const float *high_bias = to.bias && high > 0 ? to.bias + PLD_LANES : NULL;
    for (int m = 0; m < rows; m++) {
        const vec scale = splat(p->left_scales[row + m]);
        scaled[m].low = scaled_sum(sums[m].low, scale, p->scales, to.bias, low);
        scaled[m].high = scaled_sum(sums[m].high, scale, p->scales + PLD_LANES, high_bias, high);
    }
    to.bias = NULL; /* it is in the sums */
    write_block(&to, rows, row, scaled);
}

#endif
