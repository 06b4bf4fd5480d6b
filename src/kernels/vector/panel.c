/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix product with packed panels: PANEL_VECTORS vectors of columns stay in registers for a
 * block of rows. */
#include "kernels/table.h"
#include "kernels/vector/panel_output.h"

int64_t PLD_KERNEL(panel_columns)(void) {
    return PANEL_COLUMNS;
}

/** sums += left column k · right row k of the panel. */
PLD_INLINE void add_step(const left_rows *left, const int rows, int64_t k, const float *panel,
                         row_sums *sums) {
    const vec low = load(panel + k * PANEL_COLUMNS);
    const vec high = load(panel + k * PANEL_COLUMNS + PLD_LANES);
    for (int m = 0; m < rows; m++) {
        const vec x = splat(*(const float *)left_word(left, m, k));
        sums[m].low = multiply_add(sums[m].low, x, low);
        sums[m].high = multiply_add(sums[m].high, x, high);
    }
}

PLD_INLINE void block_product(const pld_panel_product *p, const int rows, int64_t row) {
    row_sums sums[PANEL_BLOCK_ROWS];
    for (int m = 0; m < rows; m++) {
        sums[m] = (row_sums){{0}, {0}};
    }
    left_rows left = left_rows_at(p->left, p->left_row, rows, row);
    fetch_block(&p->to, rows, row);
    const float *panel = p->panel;
    int64_t k = 0;
    for (; k + PANEL_STEPS <= p->depth; k += PANEL_STEPS, panel += (ptrdiff_t)PANEL_STEPS * PANEL_COLUMNS) {
        for (int step = 0; step < PANEL_STEPS; step++) {
            add_step(&left, rows, step, panel, sums);
            if (PANEL_STEPS > 1) {
                keep_pointers(&left, rows);
            }
        }
        pass_words(&left, rows, PANEL_STEPS);
    }
    for (int step = 0; k + step < p->depth; step++) {
        add_step(&left, rows, step, panel, sums);
    }
    write_block(&p->to, rows, row, sums);
}

PLD_FEW_INSTRUCTIONS void PLD_KERNEL(panel_product)(const pld_panel_product *p) {
    int64_t row = 0;
    for (; row + PANEL_BLOCK_ROWS <= p->rows; row += PANEL_BLOCK_ROWS) {
        block_product(p, PANEL_BLOCK_ROWS, row);
    }
    switch (p->rows - row) {
#define PANEL_REST(count)                                                                                    \
    case count:                                                                                              \
        block_product(p, count, row);                                                                        \
        break;
        PANEL_RESTS(PANEL_REST)
#undef PANEL_REST
    default:
        break;
    }
}
