/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix product of bfloat16 pairs with packed panels on AMX. A block of two by two tiles, 32 rows by the 32
 * columns of a panel, takes 64 cycles for every 32 numbers of the depth, in which 4 KiB of operands are read.
 */
#include <string.h>

#include "kernels/amx/tiles.h"
#include "kernels/table.h"

enum {
    TILE_WORDS = TILE_ROWS * TILE_PAIRS,
    PANEL_COLUMNS = RIGHT_COLUMNS,
};

_Static_assert((int)PANEL_COLUMNS == 2 * (int)PLD_LANES, "the width of a panel");

/** Rows [row, row + upper + lower) of the result. Each of the two tiles lies within one run. */
typedef struct product_block {
    const pld_pair_product *p;
    int64_t row;
    int upper, lower; /* rows; lower may be 0 */
} product_block;

/** The last pairs, fewer than a tile's: both operands with zeros after them. */
static void add_rest(const product_block *block, const uint32_t *upper, const uint32_t *lower,
                     const uint32_t *right, int64_t pairs) {
    const int64_t left_row = block->p->left_row;
    uint32_t left_room[BLOCK_ROWS * TILE_PAIRS] = {0};
    uint32_t right_room[TILE_PAIRS * PANEL_COLUMNS] = {0};
    for (int64_t m = 0; m < block->upper; m++) {
        memcpy(left_room + m * TILE_PAIRS, upper + m * left_row, (size_t)pairs * sizeof *upper);
    }
    for (int64_t m = 0; lower && m < block->lower; m++) {
        memcpy(left_room + TILE_WORDS + m * TILE_PAIRS, lower + m * left_row, (size_t)pairs * sizeof *lower);
    }
    memcpy(right_room, right, (size_t)(pairs * PANEL_COLUMNS) * sizeof *right);
    TILE_MEMORY_BARRIER();
    add_products(left_room, lower ? left_room + TILE_WORDS : NULL, TILE_PAIRS, right_room);
    TILE_MEMORY_BARRIER();
}

/** C += the products of one tap. */
__attribute__((nonnull(2, 4))) PLD_INLINE void add_tap(const product_block *block, const uint32_t *upper,
                                                       const uint32_t *lower, const uint32_t *right) {
    const pld_pair_product *p = block->p;
    int64_t k = 0;
    for (; k + TILE_PAIRS <= p->pairs; k += TILE_PAIRS) {
        add_products(upper + k, lower ? lower + k : NULL, p->left_row, right + k * PANEL_COLUMNS);
    }
    if (k < p->pairs) {
        add_rest(block, upper + k, lower ? lower + k : NULL, right + k * PANEL_COLUMNS, p->pairs - k);
    }
}

static void add_taps(const product_block *block) {
    const pld_pair_product *p = block->p;
    const uint32_t *upper = pld_pair_left(p, block->row);
    const uint32_t *lower = block->lower ? pld_pair_left(p, block->row + block->upper) : NULL;
    const uint32_t *right = p->panel;
    TILE_MEMORY_BARRIER();
    for (int64_t tap = 0; tap < p->taps; tap++, right += p->panel_tap) {
        const int64_t at = pld_pair_tap(p, tap);
        if (block->lower) {
            add_tap(block, upper + at, lower + at, right);
        } else {
            add_tap(block, upper + at, NULL, right);
        }
    }
}

/** room [rows, PANEL_COLUMNS] = bias + add, zeros for columns that are missing. */
static void begin_in_room(const product_block *block, float *room) {
    const pld_pair_product *p = block->p;
    for (int m = 0; m < block->upper + block->lower; m++, room += PANEL_COLUMNS) {
        const float *add = p->add ? p->add + (block->row + m) * p->out_row : NULL;
        for (int64_t n = 0; n < p->columns; n++) {
            room[n] = (p->bias ? p->bias[n] : 0) + (add ? add[n] : 0);
        }
        memset(room + p->columns, 0, (size_t)(PANEL_COLUMNS - p->columns) * sizeof *room);
    }
}

static void run_block(const product_block *block) {
    const pld_pair_product *p = block->p;
    const bool lower = block->lower > 0;
    const bool whole = p->columns == PANEL_COLUMNS;
    float room[BLOCK_ROWS * PANEL_COLUMNS];
    float *out = p->out + block->row * p->out_row;
    if (p->bias || (p->add && !whole)) {
        begin_in_room(block, room);
        load_sums(block->upper, lower, room, PANEL_COLUMNS);
    } else if (p->add) {
        load_sums(block->upper, lower, p->add + block->row * p->out_row, p->out_row);
    } else {
        clear_sums(lower);
    }
    add_taps(block);
    if (whole) {
        store_sums(block->upper, lower, out, p->out_row);
        return;
    }
    store_sums(block->upper, lower, room, PANEL_COLUMNS);
    for (int64_t m = 0; m < block->upper + block->lower; m++) {
        memcpy(out + m * p->out_row, room + m * PANEL_COLUMNS, (size_t)p->columns * sizeof *room);
    }
}

/** Rows from `row` on that one tile can take: to the end of the run, or of all. */
static int rows_of_tile(const pld_pair_product *p, int64_t row) {
    const int64_t run = p->run_rows - row % p->run_rows;
    const int64_t left = p->rows - row < run ? p->rows - row : run;
    return (int)(left < TILE_ROWS ? left : TILE_ROWS);
}

void PLD_KERNEL(pair_product)(const pld_pair_product *p) {
    int upper = 0;
    int lower = 0;
    for (product_block block = {p, 0, 0, 0}; block.row < p->rows; block.row += block.upper + block.lower) {
        block.upper = rows_of_tile(p, block.row);
        block.lower = rows_of_tile(p, block.row + block.upper);
        if (block.upper != upper || block.lower != lower) {
            upper = block.upper;
            lower = block.lower;
            shape_tiles(upper, lower);
        }
        run_block(&block);
    }
    _tile_release();
}
