/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix product of bfloat16 pairs with packed panels on AMX. A block of two by two tiles, 32 rows by the 32
 * columns of a panel, takes 64 cycles for every 32 numbers of the depth, in which 4 KiB of operands are read.
 */
#include <string.h>

#include "kernels/amx/tiles.h"
#include "kernels/table.h"

enum { BLOCK_ROWS = 2 * TILE_ROWS, PANEL_COLUMNS = RIGHT_COLUMNS, AHEAD = 2 /* tiles */ };

_Static_assert(PANEL_COLUMNS == 2 * PLD_LANES, "the width of a panel");

/** One block on its way: rows [row, row + upper + lower) of the result. */
typedef struct product_block {
    const pld_pair_product *p;
    int64_t row;
    int upper, lower; /* rows of the upper and of the lower tiles; lower may be 0 */
} product_block;

/** Rows of the left operand come from the second level cache, where a tile load would wait for each of them.
 */
PLD_INLINE void prefetch_rows(const product_block *block, const uint32_t *left, int64_t left_row) {
    for (int m = 0; m < BLOCK_ROWS; m++) {
        if (m < TILE_ROWS || block->lower) {
            _mm_prefetch((const char *)(left + m * left_row), _MM_HINT_T0);
        }
    }
}

/** The last pairs, fewer than a tile's: both operands with zeros after them. */
static void add_rest(const product_block *block, const uint32_t *left, const uint32_t *right, int64_t pairs) {
    uint32_t left_room[BLOCK_ROWS * TILE_PAIRS] = {0};
    uint32_t right_room[TILE_PAIRS * PANEL_COLUMNS] = {0};
    for (int64_t m = 0; m < block->upper + block->lower; m++) {
        memcpy(left_room + m * TILE_PAIRS, left + m * block->p->left_row, (size_t)pairs * sizeof *left);
    }
    memcpy(right_room, right, (size_t)(pairs * PANEL_COLUMNS) * sizeof *right);
    TILE_MEMORY_BARRIER();
    add_products(block->lower > 0, left_room, TILE_PAIRS, right_room);
    TILE_MEMORY_BARRIER();
}

static void add_all_products(const product_block *block) {
    const pld_pair_product *p = block->p;
    const uint32_t *left = p->left + block->row * p->left_row;
    const uint32_t *right = p->panel;
    int64_t k = 0;
    TILE_MEMORY_BARRIER();
    for (; k + TILE_PAIRS <= p->pairs; k += TILE_PAIRS) {
        prefetch_rows(block, left + k + AHEAD * TILE_PAIRS, p->left_row);
        add_products(block->lower > 0, left + k, p->left_row, right + k * PANEL_COLUMNS);
    }
    if (k < p->pairs) {
        add_rest(block, left + k, right + k * PANEL_COLUMNS, p->pairs - k);
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
        load_sums(lower, room, PANEL_COLUMNS);
    } else if (p->add) {
        load_sums(lower, p->add + block->row * p->out_row, p->out_row);
    } else {
        clear_sums(lower);
    }
    add_all_products(block);
    if (whole) {
        store_sums(lower, out, p->out_row);
        return;
    }
    store_sums(lower, room, PANEL_COLUMNS);
    for (int m = 0; m < block->upper + block->lower; m++) {
        memcpy(out + m * p->out_row, room + m * PANEL_COLUMNS, (size_t)p->columns * sizeof *room);
    }
}

void PLD_KERNEL(pair_product)(const pld_pair_product *p) {
    product_block block = {p, 0, TILE_ROWS, TILE_ROWS};
    if (p->rows >= BLOCK_ROWS) {
        shape_tiles(TILE_ROWS, TILE_ROWS);
        for (; block.row + BLOCK_ROWS <= p->rows; block.row += BLOCK_ROWS) {
            run_block(&block);
        }
    }
    const int rest = (int)(p->rows - block.row);
    if (rest > 0) {
        block.upper = rest < TILE_ROWS ? rest : TILE_ROWS;
        block.lower = rest - block.upper;
        shape_tiles(block.upper, block.lower);
        run_block(&block);
    }
    _tile_release();
}
