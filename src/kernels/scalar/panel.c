/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix product with packed panels: the specification of the vector version, whose multiply-adds round once.
 * So do those here: the product of two floats is exact in double. */
#include "kernels/table.h"

enum { PANEL_COLUMNS = 16 };

int64_t PLD_KERNEL(panel_columns)(void) {
    return PANEL_COLUMNS;
}

/** out = gate·(sum + bias) + add, of one row. */
static void write_row(const pld_panel_output *to, int64_t row, const float *sums) {
    float *out = to->out + row * to->out_row;
    for (int64_t n = 0; n < to->columns; n++) {
        float sum = sums[n] + (to->bias ? to->bias[n] : 0);
        sum = to->gate ? to->gate[n] * sum : sum;
        out[n] = to->add ? to->add[row * to->out_row + n] + sum : sum;
    }
}

void PLD_KERNEL(panel_product)(const pld_panel_product *p) {
    for (int64_t row = 0; row < p->rows; row++) {
        const float *left = p->left + row * p->left_row;
        float sums[PANEL_COLUMNS] = {0};
        for (int64_t k = 0; k < p->depth; k++) {
            const float *panel = p->panel + k * PANEL_COLUMNS;
            for (int n = 0; n < PANEL_COLUMNS; n++) {
                sums[n] = (float)((double)left[k] * (double)panel[n] + (double)sums[n]);
            }
        }
        write_row(&p->to, row, sums);
    }
}
