/* SPDX-License-Identifier: Apache-2.0 */
/* Products of 8-bit integers with panels of them: as panel.c, a word where that has a number. */
#include "kernels/vector/int8.h"
#include "kernels/table.h"
#include "kernels/vector/int8_output.h"

PLD_INLINE void add_step(const left_rows *left, const int rows, int64_t k, const uint32_t *panel,
                         integer_sums *sums) {
    const ivec low = load_integers(panel + k * PANEL_COLUMNS);
    const ivec high = load_integers(panel + k * PANEL_COLUMNS + PLD_LANES);
    for (int m = 0; m < rows; m++) {
        const ivec x = splat_integers(left_word(left, m, k));
        sums[m].low = add_integers(sums[m].low, x, low);
        sums[m].high = add_integers(sums[m].high, x, high);
    }
}

PLD_INLINE void block_product(const pld_int8_product *p, const int rows, int64_t row) {
    integer_sums sums[PANEL_BLOCK_ROWS];
    const ivec low = -INT8_OFFSET * load_integers(p->sums);
    const ivec high = -INT8_OFFSET * load_integers(p->sums + PLD_LANES);
    for (int m = 0; m < rows; m++) {
        sums[m] = (integer_sums){low, high};
    }
    left_rows left = left_rows_at(p->left, p->left_row, rows, row);
    fetch_block(&p->to, rows, row);
    const uint32_t *panel = p->panel;
    for (int64_t k = 0; k < p->words; k += PANEL_STEPS, panel += (ptrdiff_t)PANEL_STEPS * PANEL_COLUMNS) {
        for (int step = 0; step < PANEL_STEPS; step++) {
            add_step(&left, rows, step, panel, sums);
            if (PANEL_STEPS > 1) {
                keep_pointers(&left, rows);
            }
        }
        pass_words(&left, rows, PANEL_STEPS);
    }
    write_integers(p, rows, row, sums);
}

PLD_FEW_INSTRUCTIONS void PLD_KERNEL(int8_product)(const pld_int8_product *p) {
    int64_t row = 0;
    for (; row + PANEL_BLOCK_ROWS <= p->rows; row += PANEL_BLOCK_ROWS) {
        block_product(p, PANEL_BLOCK_ROWS, row);
    }
    switch (p->rows - row) {
#define INT8_REST(count)                                                                                     \
    case count:                                                                                              \
        block_product(p, count, row);                                                                        \
        break;
        PANEL_RESTS(INT8_REST)
#undef INT8_REST
    default:
        break;
    }
}
