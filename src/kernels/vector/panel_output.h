/* SPDX-License-Identifier: Apache-2.0 */
/** What products with panels share: the sums of a row, the left rows of a block, and what is written in the end. */
#ifndef PLD_KERNELS_VECTOR_PANEL_OUTPUT_H
#define PLD_KERNELS_VECTOR_PANEL_OUTPUT_H

#include "kernels/kernels.h"
#include "kernels/vector/vector.h"

/* Accumulators, right operand and broadcast fill the registers: 6·2 + 2 + 1 of 16 with AVX2; with AVX-512
 * 12·2 + 2 of 32, the broadcast being part of the multiply-add. STEPS of the depth share the loop's own
 * instructions, which AVX2's narrower vectors feel. */
enum { PANEL_VECTORS = 2, PANEL_COLUMNS = PANEL_VECTORS * PLD_LANES };
#if PLD_VECTOR_BYTES == 64
enum { PANEL_BLOCK_ROWS = 12, PANEL_STEPS = 1 };
#define PANEL_RESTS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#else
enum { PANEL_BLOCK_ROWS = 6, PANEL_STEPS = 4 };
#define PANEL_RESTS(X) X(1) X(2) X(3) X(4) X(5)
#endif

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
PLD_INLINE void write_vectors(const pld_panel_output *to, const int rows, int64_t row, const bool high,
                              const bool gated, int64_t lanes, const row_sums *sums) {
    const int64_t from = high ? PLD_LANES : 0;
    const int64_t at = row * to->out_row + from;
    const vec bias = to->bias ? load_lanes(to->bias + from, lanes) : (vec){0};
    const vec gate = gated ? load_lanes(to->gate + from, lanes) : (vec){0};
    if (to->add) {
        for (int m = 0; m < rows; m++) {
            const vec sum = gated_sum(high ? sums[m].high : sums[m].low, bias, gate, gated);
            const int64_t here = at + m * to->out_row;
            store_lanes(to->out + here, load_lanes(to->add + here, lanes) + sum, lanes);
        }
    } else {
        for (int m = 0; m < rows; m++) {
            const vec sum = gated_sum(high ? sums[m].high : sums[m].low, bias, gate, gated);
            store_lanes(to->out + at + m * to->out_row, sum, lanes);
        }
    }
}

PLD_INLINE void write_columns(const pld_panel_output *to, const int rows, int64_t row, const bool gated,
                              const row_sums *sums) {
    if (to->columns >= PANEL_COLUMNS) {
        write_vectors(to, rows, row, false, gated, PLD_LANES, sums);
        write_vectors(to, rows, row, true, gated, PLD_LANES, sums);
        return;
    }
    write_vectors(to, rows, row, false, gated, to->columns < PLD_LANES ? to->columns : PLD_LANES, sums);
    if (to->columns > PLD_LANES) {
        write_vectors(to, rows, row, true, gated, to->columns - PLD_LANES, sums);
    }
}

PLD_INLINE void write_block(const pld_panel_output *to, const int rows, int64_t row, const row_sums *sums) {
    if (to->gate) {
        write_columns(to, rows, row, true, sums);
    } else {
        write_columns(to, rows, row, false, sums);
    }
}

PLD_INLINE void fetch_block(const pld_panel_output *to, const int rows, int64_t row) {
    for (int m = 0; m < rows; m++) {
        __builtin_prefetch(to->out + (row + m) * to->out_row, 1);
    }
}

/** The left rows of a block, words of four bytes, of which each pointer serves three: an address has room for a row's
 * distance and for twice that, so that no more need a register. */
enum { SHARED_ROWS = 3, LEFT_POINTERS = (PANEL_BLOCK_ROWS + SHARED_ROWS - 1) / SHARED_ROWS };
typedef struct left_rows {
    const char *at[LEFT_POINTERS];
    int64_t row; /* bytes from one to the next */
} left_rows;

PLD_INLINE left_rows left_rows_at(const void *left, int64_t row_words, const int rows, int64_t row) {
    left_rows of = {.row = row_words * 4};
    for (int i = 0; i * SHARED_ROWS < rows; i++) {
        of.at[i] = (const char *)left + (row + (int64_t)i * SHARED_ROWS) * of.row;
    }
    return of;
}

/** Word k of a row. */
PLD_INLINE const void *left_word(const left_rows *left, int row, int64_t k) {
    return left->at[row / SHARED_ROWS] + row % SHARED_ROWS * left->row + k * 4;
}

PLD_INLINE void pass_words(left_rows *left, const int rows, int64_t words) {
    for (int i = 0; i * SHARED_ROWS < rows; i++) {
        left->at[i] += words * 4;
    }
}

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

#endif
