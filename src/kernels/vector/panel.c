/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix product with packed panels: PANEL_VECTORS vectors of columns stay in registers for a block of rows.
 */
#include "kernels/table.h"
#include "kernels/vector/vector.h"

/* Accumulators, right operand and broadcast fill the registers: 6·2 + 2 + 1 of 16 with AVX2; with AVX-512
 * 12·2 + 2 of 32, the broadcast being part of the multiply-add. */
enum { PANEL_VECTORS = 2, PANEL_COLUMNS = PANEL_VECTORS * PLD_LANES };
#if PLD_VECTOR_BYTES == 64
enum { BLOCK_ROWS = 12 };
#define PANEL_RESTS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#else
enum { BLOCK_ROWS = 6 };
#define PANEL_RESTS(X) X(1) X(2) X(3) X(4) X(5)
#endif

int64_t PLD_KERNEL(panel_columns)(void) {
    return PANEL_COLUMNS;
}

/** The columns of vector v that exist: PLD_LANES or fewer. */
PLD_INLINE int64_t columns_of(const pld_panel_product *p, int v) {
    int64_t left = p->columns - v * PLD_LANES;
    return left > PLD_LANES ? PLD_LANES : left;
}

/** out = sum + bias + add, the vector v of a row. */
PLD_INLINE void write_sums(const pld_panel_product *p, int64_t row, int v, vec sum) {
    const int64_t columns = columns_of(p, v);
    const int64_t at = row * p->out_row + v * PLD_LANES;
    const float *bias = p->bias ? p->bias + v * PLD_LANES : NULL;
    if (columns == PLD_LANES) {
        sum = bias ? sum + load(bias) : sum;
        store(p->out + at, p->add ? load(p->add + at) + sum : sum);
    } else if (columns > 0) {
        sum = bias ? sum + load_part(bias, (size_t)columns) : sum;
        store_part(p->out + at, p->add ? load_part(p->add + at, (size_t)columns) + sum : sum,
                   (size_t)columns);
    }
}

PLD_INLINE void block_product(const pld_panel_product *p, const int rows, int64_t row) {
    vec sums[BLOCK_ROWS][PANEL_VECTORS];
    for (int m = 0; m < rows; m++) {
        for (int v = 0; v < PANEL_VECTORS; v++) {
            sums[m][v] = (vec){0};
        }
    }
    const float *left = p->left + row * p->left_row;
    const float *panel = p->panel;
    for (int64_t k = 0; k < p->depth; k++, left++, panel += PANEL_COLUMNS) {
        vec right[PANEL_VECTORS];
        for (int v = 0; v < PANEL_VECTORS; v++) {
            right[v] = load(panel + v * PLD_LANES);
        }
        for (int m = 0; m < rows; m++) {
            vec x = splat(left[m * p->left_row]);
            for (int v = 0; v < PANEL_VECTORS; v++) {
                sums[m][v] += x * right[v];
            }
        }
    }
    for (int m = 0; m < rows; m++) {
        for (int v = 0; v < PANEL_VECTORS; v++) {
            write_sums(p, row + m, v, sums[m][v]);
        }
    }
}

void PLD_KERNEL(panel_product)(const pld_panel_product *p) {
    int64_t row = 0;
    for (; row + BLOCK_ROWS <= p->rows; row += BLOCK_ROWS) {
        block_product(p, BLOCK_ROWS, row);
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
