/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix product with packed panels: the specification of the vector version. Its sums are double: the
 * vectors' multiply-adds round once where this would round twice. */
#include "kernels/table.h"

enum { PANEL_COLUMNS = 16 };

int64_t PLD_KERNEL(panel_columns)(void) {
    return PANEL_COLUMNS;
}

void PLD_KERNEL(panel_product)(const pld_panel_product *p) {
    for (int64_t row = 0; row < p->rows; row++) {
        const float *left = p->left + row * p->left_row;
        float *out = p->out + row * p->out_row;
        for (int64_t n = 0; n < p->columns; n++) {
            double sum = 0;
            for (int64_t k = 0; k < p->depth; k++) {
                sum += (double)left[k] * (double)p->panel[k * PANEL_COLUMNS + n];
            }
            sum += p->bias ? (double)p->bias[n] : 0;
            sum += p->add ? (double)p->add[row * p->out_row + n] : 0;
            out[n] = (float)sum;
        }
    }
}
