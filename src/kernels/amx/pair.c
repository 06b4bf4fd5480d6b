/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix product of bfloat16 pairs with packed panels on AMX. A block of two by two tiles, 32 rows by the 32
 * columns of a panel, takes 64 cycles for every 32 numbers of the depth, in which 4 KiB of operands are read. */
#include <string.h>

#include "kernels/amx/tiles.h"
#include "kernels/table.h"
#include "kernels/vector/vector.h"

enum { BLOCK_ROWS = 2 * TILE_ROWS, PANEL_COLUMNS = 2 * TILE_COLUMNS };

_Static_assert(PANEL_COLUMNS == 2 * PLD_LANES, "the width of a panel");

/** One block on its way: rows [row, row + upper + lower) of the result. */
typedef struct product_block {
    const pld_pair_product *p;
    int64_t row;
    int upper, lower; /* rows of the upper and of the lower tiles; lower may be 0 */
} product_block;

/** Where the sums begin and end: the result itself, or a room where they meet the bias or columns are missing. */
typedef struct sums_place {
    float *at;
    int64_t row; /* floats between rows */
} sums_place;

PLD_INLINE void load_sums(const product_block *block, const sums_place *from) {
    const int64_t stride = from->row * (int64_t)sizeof(float);
    TILE_MEMORY_BARRIER();
    _tile_loadd(TILE_C_UPPER_LEFT, from->at, stride);
    _tile_loadd(TILE_C_UPPER_RIGHT, from->at + TILE_COLUMNS, stride);
    if (block->lower) {
        _tile_loadd(TILE_C_LOWER_LEFT, from->at + TILE_ROWS * from->row, stride);
        _tile_loadd(TILE_C_LOWER_RIGHT, from->at + TILE_ROWS * from->row + TILE_COLUMNS, stride);
    }
}

PLD_INLINE void clear_sums(const product_block *block) {
    _tile_zero(TILE_C_UPPER_LEFT);
    _tile_zero(TILE_C_UPPER_RIGHT);
    if (block->lower) {
        _tile_zero(TILE_C_LOWER_LEFT);
        _tile_zero(TILE_C_LOWER_RIGHT);
    }
}

PLD_INLINE void store_sums(const product_block *block, const sums_place *to) {
    const int64_t stride = to->row * (int64_t)sizeof(float);
    _tile_stored(TILE_C_UPPER_LEFT, to->at, stride);
    _tile_stored(TILE_C_UPPER_RIGHT, to->at + TILE_COLUMNS, stride);
    if (block->lower) {
        _tile_stored(TILE_C_LOWER_LEFT, to->at + TILE_ROWS * to->row, stride);
        _tile_stored(TILE_C_LOWER_RIGHT, to->at + TILE_ROWS * to->row + TILE_COLUMNS, stride);
    }
    TILE_MEMORY_BARRIER();
}

/** sums += left·right over TILE_PAIRS pairs. */
PLD_INLINE void add_products(const product_block *block, const uint32_t *left, int64_t left_row,
                             const uint32_t *right) {
    const int64_t stride = left_row * (int64_t)sizeof *left;
    const int64_t right_stride = PANEL_COLUMNS * (int64_t)sizeof *right;
    _tile_loadd(TILE_B_LEFT, right, right_stride);
    _tile_loadd(TILE_A_UPPER, left, stride);
    _tile_loadd(TILE_B_RIGHT, right + TILE_COLUMNS, right_stride);
    _tile_dpbf16ps(TILE_C_UPPER_LEFT, TILE_A_UPPER, TILE_B_LEFT);
    _tile_dpbf16ps(TILE_C_UPPER_RIGHT, TILE_A_UPPER, TILE_B_RIGHT);
    if (block->lower) {
        _tile_loadd(TILE_A_LOWER, left + TILE_ROWS * left_row, stride);
        _tile_dpbf16ps(TILE_C_LOWER_LEFT, TILE_A_LOWER, TILE_B_LEFT);
        _tile_dpbf16ps(TILE_C_LOWER_RIGHT, TILE_A_LOWER, TILE_B_RIGHT);
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
    add_products(block, left_room, TILE_PAIRS, right_room);
    TILE_MEMORY_BARRIER();
}

static void add_all_products(const product_block *block) {
    const pld_pair_product *p = block->p;
    const uint32_t *left = p->left + block->row * p->left_row;
    const uint32_t *right = p->panel;
    int64_t k = 0;
    TILE_MEMORY_BARRIER();
    for (; k + TILE_PAIRS <= p->pairs; k += TILE_PAIRS) {
        add_products(block, left + k, p->left_row, right + k * PANEL_COLUMNS);
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
    const bool whole = p->columns == PANEL_COLUMNS;
    float room[BLOCK_ROWS * PANEL_COLUMNS];
    const sums_place in_room = {room, PANEL_COLUMNS};
    const sums_place in_out = {p->out + block->row * p->out_row, p->out_row};
    if (p->bias || (p->add && !whole)) {
        begin_in_room(block, room);
        load_sums(block, &in_room);
    } else if (p->add) {
        load_sums(block, &(sums_place){(float *)p->add + block->row * p->out_row, p->out_row});
    } else {
        clear_sums(block);
    }
    add_all_products(block);
    store_sums(block, whole ? &in_out : &in_room);
    for (int m = 0; !whole && m < block->upper + block->lower; m++) {
        memcpy(in_out.at + m * in_out.row, room + m * PANEL_COLUMNS, (size_t)p->columns * sizeof *room);
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
