/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix product of bfloat16 pairs with packed panels: as panel.c, a pair where that has a number. */
#include "kernels/table.h"
#include "kernels/vector/pairs.h"

/* Accumulators, right operand and broadcast: 12·2 + 2 of 32 registers where the instruction reads its
 * broadcast from memory. Where pairs are taken apart, right and left are two registers each: 12·2 + 4 + 2 of
 * 32, 4·2 + 4 + 2 of 16. */
enum { PAIR_VECTORS = 2, PAIR_COLUMNS = PAIR_VECTORS * PLD_LANES };
#if PLD_VECTOR_BYTES == 64
enum { BLOCK_ROWS = 12 };
#define PAIR_RESTS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#else
enum { BLOCK_ROWS = 4 };
#define PAIR_RESTS(X) X(1) X(2) X(3)
#endif

/** The columns of vector v that exist: PLD_LANES or fewer. */
PLD_INLINE int64_t columns_of(const pld_pair_product *p, int64_t v) {
    int64_t left = p->columns - v * PLD_LANES;
    return left > PLD_LANES ? PLD_LANES : left;
}

/** out = gate·(sum + bias) + add, the vector v of a row. */
PLD_INLINE void write_sums(const pld_pair_product *p, int64_t row, int64_t v, vec sum) {
    const int64_t columns = columns_of(p, v);
    const int64_t at = row * p->out_row + v * PLD_LANES;
    const float *bias = p->bias ? p->bias + v * PLD_LANES : NULL;
    if (columns == PLD_LANES) {
        sum = bias ? sum + load(bias) : sum;
        sum = p->gate ? rounded(sum * load(p->gate + v * PLD_LANES)) : sum;
        store(p->out + at, p->add ? load(p->add + at) + sum : sum);
    } else if (columns > 0) {
        sum = bias ? sum + load_part(bias, (size_t)columns) : sum;
        sum = p->gate ? rounded(sum * load_part(p->gate + v * PLD_LANES, (size_t)columns)) : sum;
        store_part(p->out + at, p->add ? load_part(p->add + at, (size_t)columns) + sum : sum,
                   (size_t)columns);
    }
}

PLD_INLINE void block_product(const pld_pair_product *p, const int rows, int64_t row) {
    vec sums[BLOCK_ROWS][PAIR_VECTORS];
    for (int m = 0; m < rows; m++) {
        for (int64_t v = 0; v < PAIR_VECTORS; v++) {
            sums[m][v] = (vec){0};
        }
    }
    const uint32_t *first = pld_pair_left(p, row);
    const int parts = pld_pair_is_split(p) ? PLD_PAIR_PARTS : 1;
    for (int64_t i = 0; i < p->taps * parts; i++) {
        const pld_pair_part part = pld_pair_part_at(p, (int)(i % parts));
        const uint32_t *left = first + pld_pair_tap(p, i / parts) + part.left;
        const uint32_t *panel = p->panel + i / parts * p->panel_tap + part.panel;
        for (int64_t k = 0; k < p->pairs; k++, left++, panel += PAIR_COLUMNS) {
            ivec right[PAIR_VECTORS];
            for (int64_t v = 0; v < PAIR_VECTORS; v++) {
                right[v] = load_pairs(panel + v * PLD_LANES);
            }
            for (int m = 0; m < rows; m++) {
                ivec x = splat_pair(left[m * p->left_row]);
                for (int64_t v = 0; v < PAIR_VECTORS; v++) {
                    sums[m][v] = add_pairs(sums[m][v], right[v], x);
                }
            }
        }
    }
    for (int m = 0; m < rows; m++) {
        for (int64_t v = 0; v < PAIR_VECTORS; v++) {
            write_sums(p, row + m, v, sums[m][v]);
        }
    }
}

/** Rows [row, end) of one run. */
static void run_product(const pld_pair_product *p, int64_t row, int64_t end) {
    for (; row + BLOCK_ROWS <= end; row += BLOCK_ROWS) {
        block_product(p, BLOCK_ROWS, row);
    }
    switch (end - row) {
#define PAIR_REST(count)                                                                                     \
    case count:                                                                                              \
        block_product(p, count, row);                                                                        \
        break;
        PAIR_RESTS(PAIR_REST)
#undef PAIR_REST
    default:
        break;
    }
}

void PLD_KERNEL(pair_product)(const pld_pair_product *p) {
    for (int64_t row = 0; row < p->rows; row += p->run_rows) {
        run_product(p, row, row + p->run_rows < p->rows ? row + p->run_rows : p->rows);
    }
}

pld_pair_block PLD_KERNEL(pair_block)(void) {
    return (pld_pair_block){240, 320};
}
