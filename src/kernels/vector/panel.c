/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix product with packed panels: PANEL_VECTORS vectors of columns stay in registers for a
 * block of rows. */
#include "kernels/table.h"
#include "kernels/vector/vector.h"

/* Accumulators, right operand and broadcast fill the registers: 6·2 + 2 + 1 of 16 with AVX2; with AVX-512
 * 12·2 + 2 of 32, the broadcast being part of the multiply-add. STEPS of the depth share the loop's own
 * instructions, which AVX2's narrower vectors feel. */
enum { PANEL_VECTORS = 2, PANEL_COLUMNS = PANEL_VECTORS * PLD_LANES };
#if PLD_VECTOR_BYTES == 64
enum { BLOCK_ROWS = 12, STEPS = 1 };
#define PANEL_RESTS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#else
enum { BLOCK_ROWS = 6, STEPS = 4 };
#define PANEL_RESTS(X) X(1) X(2) X(3) X(4) X(5)
#endif

int64_t PLD_KERNEL(panel_columns)(void) {
    return PANEL_COLUMNS;
}

/** Sums of one row. Members, not an array: arrays stay in memory where two loops run over them. */
typedef struct row_sums {
    vec low, high;
} row_sums;

/** Sum + bias, times gate. */
PLD_INLINE vec gated_sum(vec sum, vec bias, vec gate, const bool gated) {
    return gated ? rounded((sum + bias) * gate) : sum + bias;
}

/** out = gate·(sum + bias) + add, of a block's rows, columns [from, from + lanes); `high`: of the sums' high
 * vectors. */
PLD_INLINE void write_vectors(const pld_panel_product *p, const int rows, int64_t row, const bool high,
                              const bool gated, int64_t lanes, const row_sums *sums) {
    const int64_t from = high ? PLD_LANES : 0;
    const int64_t at = row * p->out_row + from;
    const vec bias = p->bias ? load_lanes(p->bias + from, lanes) : (vec){0};
    const vec gate = gated ? load_lanes(p->gate + from, lanes) : (vec){0};
    if (p->add) {
        for (int m = 0; m < rows; m++) {
            const vec sum = gated_sum(high ? sums[m].high : sums[m].low, bias, gate, gated);
            const int64_t here = at + m * p->out_row;
            store_lanes(p->out + here, load_lanes(p->add + here, lanes) + sum, lanes);
        }
    } else {
        for (int m = 0; m < rows; m++) {
            const vec sum = gated_sum(high ? sums[m].high : sums[m].low, bias, gate, gated);
            store_lanes(p->out + at + m * p->out_row, sum, lanes);
        }
    }
}

PLD_INLINE void write_columns(const pld_panel_product *p, const int rows, int64_t row, const bool gated,
                              const row_sums *sums) {
    if (p->columns >= PANEL_COLUMNS) {
        write_vectors(p, rows, row, false, gated, PLD_LANES, sums);
        write_vectors(p, rows, row, true, gated, PLD_LANES, sums);
        return;
    }
    write_vectors(p, rows, row, false, gated, p->columns < PLD_LANES ? p->columns : PLD_LANES, sums);
    if (p->columns > PLD_LANES) {
        write_vectors(p, rows, row, true, gated, p->columns - PLD_LANES, sums);
    }
}

PLD_INLINE void write_block(const pld_panel_product *p, const int rows, int64_t row, const row_sums *sums) {
    if (p->gate) {
        write_columns(p, rows, row, true, sums);
    } else {
        write_columns(p, rows, row, false, sums);
    }
}

/** The left rows of a block, of which each pointer serves three: an address has room for a row's distance and
 * for twice that, so that no more need a register. */
enum { SHARED_ROWS = 3, LEFT_POINTERS = (BLOCK_ROWS + SHARED_ROWS - 1) / SHARED_ROWS };
typedef struct left_rows {
    const float *at[LEFT_POINTERS];
    int64_t row;
} left_rows;

/** The compiler forms addresses from these alone, not from one it has added up for each row and step. */
PLD_INLINE void keep_pointers(left_rows *left, const int rows) {
#if defined(__x86_64__)
    for (int i = 0; i * SHARED_ROWS < rows; i++) {
        __asm__("" : "+r"(left->at[i]));
    }
    __asm__("" : "+r"(left->row));
#else
    (void)left;
    (void)rows;
#endif
}

/** sums += left column k · right row k of the panel. */
PLD_INLINE void add_step(const left_rows *left, const int rows, int64_t k, const float *panel,
                         row_sums *sums) {
    const vec low = load(panel + k * PANEL_COLUMNS);
    const vec high = load(panel + k * PANEL_COLUMNS + PLD_LANES);
    for (int m = 0; m < rows; m++) {
        const vec x = splat(left->at[m / SHARED_ROWS][m % SHARED_ROWS * left->row + k]);
        sums[m].low = multiply_add(sums[m].low, x, low);
        sums[m].high = multiply_add(sums[m].high, x, high);
    }
}

PLD_INLINE void block_product(const pld_panel_product *p, const int rows, int64_t row) {
    row_sums sums[BLOCK_ROWS];
    left_rows left = {.row = p->left_row};
    for (int m = 0; m < rows; m++) {
        sums[m] = (row_sums){{0}, {0}};
    }
    for (int i = 0; i * SHARED_ROWS < rows; i++) {
        left.at[i] = p->left + (row + (int64_t)i * SHARED_ROWS) * p->left_row;
    }
    for (int m = 0; m < rows; m++) {
        __builtin_prefetch(p->out + (row + m) * p->out_row, 1);
    }
    const float *panel = p->panel;
    int64_t k = 0;
    for (; k + STEPS <= p->depth; k += STEPS, panel += (ptrdiff_t)STEPS * PANEL_COLUMNS) {
        for (int step = 0; step < STEPS; step++) {
            add_step(&left, rows, step, panel, sums);
            if (STEPS > 1) {
                keep_pointers(&left, rows);
            }
        }
        for (int i = 0; i * SHARED_ROWS < rows; i++) {
            left.at[i] += STEPS;
        }
    }
    for (int step = 0; k + step < p->depth; step++) {
        add_step(&left, rows, step, panel, sums);
    }
    write_block(p, rows, row, sums);
}

PLD_FEW_INSTRUCTIONS void PLD_KERNEL(panel_product)(const pld_panel_product *p) {
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
