/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix product of bfloat16 pairs with packed panels on AMX. A block of two by two tiles, 32 rows by the 32
 * columns of a panel, takes 64 cycles for every step of 32 numbers of the depth, in which 4 KiB of operands
 * are read: twice what the second level of the cache delivers. So a few steps of the panel at a time, which
 * stay in the first level, meet all rows; sums wait in a room of their own. The taps of a convolution follow
 * each other, since they read mostly the same numbers of the left side. */
#include <string.h>

#include "kernels/amx/tiles.h"
#include "kernels/cuts.h"
#include "kernels/table.h"

enum {
    TILE_WORDS = TILE_ROWS * TILE_PAIRS,
    PANEL_COLUMNS = RIGHT_COLUMNS,
    STEP_WORDS = TILE_PAIRS * PANEL_COLUMNS, /* of a panel: 2 KiB */
    ROOM_ROWS = 512,
    MOST_STEPS = 10,      /* of the panel in the first level */
    MOST_SPLIT_STEPS = 6, /* which have twice the words */
};

_Static_assert((int)PANEL_COLUMNS == 2 * (int)PLD_LANES, "the width of a panel");

/** Rows [first, first + rows) of the product in work, and steps [step, last) of `steps`: pairs outermost,
 * taps within. */
typedef struct product_piece {
    const pld_pair_product *p;
    int64_t first, rows;
    int64_t steps, step, last;
    const float *bias; /* [PANEL_COLUMNS] */
    float *room;       /* [rows, PANEL_COLUMNS] sums */
} product_piece;

/** Rows [row, row + upper + lower) of the result. Each of the two tiles lies within one run. */
typedef struct product_block {
    int64_t row;
    int64_t upper, lower; /* rows, 0 … TILE_ROWS; lower may be 0 */
} product_block;

static void copy_words(const uint32_t *from, int64_t from_row, int64_t rows, int64_t words, uint32_t *to,
                       int64_t to_row) {
    for (int64_t m = 0; m < rows; m++) {
        memcpy(to + m * to_row, from + m * from_row, (size_t)words * sizeof *to);
    }
}

/** The last pairs, fewer than a tile's: both operands with zeros after them. */
static void add_rest(const pld_pair_product *p, const product_block *block, const uint32_t *upper,
                     const uint32_t *lower, const uint32_t *right, int64_t pairs) {
    enum { LEFT_WORDS = 2 * TILE_WORDS };
    uint32_t left_room[2 * LEFT_WORDS] = {0};
    uint32_t right_room[2 * STEP_WORDS] = {0};
    const int halves = pld_pair_is_split(p) ? 2 : 1;
    for (int64_t half = 0; half < halves; half++) {
        uint32_t *left = left_room + half * LEFT_WORDS;
        copy_words(upper + half * p->left_low, p->left_row, block->upper, pairs, left, TILE_PAIRS);
        if (lower) {
            copy_words(lower + half * p->left_low, p->left_row, block->lower, pairs, left + TILE_WORDS,
                       TILE_PAIRS);
        }
        copy_words(right + half * p->panel_low, 0, 1, pairs * PANEL_COLUMNS, right_room + half * STEP_WORDS,
                   0);
    }
    TILE_MEMORY_BARRIER();
    const uint32_t *below = lower ? left_room + TILE_WORDS : NULL;
    if (halves == 2) {
        add_split_products(left_room, below, TILE_PAIRS, LEFT_WORDS, right_room, STEP_WORDS);
    } else {
        add_products(left_room, below, TILE_PAIRS, right_room);
    }
    TILE_MEMORY_BARRIER();
}

/** C += the products of the piece's steps. */
PLD_INLINE void add_steps(const product_piece *piece, const product_block *block, const bool has_lower,
                          const bool split) {
    const pld_pair_product *p = piece->p;
    const uint32_t *upper = pld_pair_left(p, block->row);
    const uint32_t *lower = has_lower ? pld_pair_left(p, block->row + block->upper) : NULL;
    int64_t pair = piece->step / p->taps * TILE_PAIRS;
    int64_t tap = piece->step % p->taps;
    for (int64_t step = piece->step; step < piece->last; step++) {
        const int64_t at = pld_pair_tap(p, tap) + pair;
        const uint32_t *right = p->panel + tap * p->panel_tap + pair * PANEL_COLUMNS;
        const uint32_t *below = has_lower ? lower + at : NULL;
        if (pair + TILE_PAIRS > p->pairs) {
            add_rest(p, block, upper + at, below, right, p->pairs - pair);
        } else if (split) {
            add_split_products(upper + at, below, p->left_row, p->left_low, right, p->panel_low);
        } else {
            add_products(upper + at, below, p->left_row, right);
        }
        if (++tap == p->taps) {
            tap = 0;
            pair += TILE_PAIRS;
        }
    }
}

static void add_block(const product_piece *piece, const product_block *block) {
    TILE_MEMORY_BARRIER();
    if (pld_pair_is_split(piece->p)) {
        if (block->lower) {
            add_steps(piece, block, true, true);
        } else {
            add_steps(piece, block, false, true);
        }
    } else if (block->lower) {
        add_steps(piece, block, true, false);
    } else {
        add_steps(piece, block, false, false);
    }
}

/** What sums begin with, of a row: the bias, zeros for columns that are missing. */
static void set_bias(const pld_pair_product *p, float *bias) {
    memset(bias, 0, PANEL_COLUMNS * sizeof *bias);
    if (p->bias) {
        memcpy(bias, p->bias, (size_t)p->columns * sizeof *bias);
    }
}

/** Sums begin with `add` as it stands, without a way through the room. */
static bool begins_with_add(const pld_pair_product *p) {
    return p->add && !p->bias && !p->gate && p->columns == PANEL_COLUMNS;
}

/** They begin in the room, with the bias and `add`. With a gate, what is added comes last. */
static bool begins_in_room(const pld_pair_product *p) {
    return p->add && !p->gate && !begins_with_add(p);
}

/** The room's sums of some rows → out. */
static void leave_room(const pld_pair_product *p, int64_t row, int64_t rows, const float *room) {
    for (int64_t m = 0; m < rows; m++, room += PANEL_COLUMNS) {
        float *out = p->out + (row + m) * p->out_row;
        const float *add = p->add ? p->add + (row + m) * p->out_row : NULL;
        if (!p->gate) {
            memcpy(out, room, (size_t)p->columns * sizeof *room);
            continue;
        }
        for (int64_t n = 0; n < p->columns; n++) {
            out[n] = (add ? add[n] : 0) + p->gate[n] * room[n];
        }
    }
}

/** room = bias + add. */
static void begin_in_room(const product_piece *piece) {
    const pld_pair_product *p = piece->p;
    for (int64_t m = 0; m < piece->rows; m++) {
        float *room = piece->room + m * PANEL_COLUMNS;
        const float *add = p->add + (piece->first + m) * p->out_row;
        memcpy(room, piece->bias, PANEL_COLUMNS * sizeof *room);
        for (int64_t n = 0; n < p->columns; n++) {
            room[n] += add[n];
        }
    }
}

/** Ask for the lines that a block will write: rows of a map are far apart, and mostly not in the cache. */
static void fetch_to_write(const float *out, int64_t rows, int64_t out_row) {
    for (int64_t m = 0; m < rows; m++) {
        __builtin_prefetch(out + m * out_row, 1);
        __builtin_prefetch(out + m * out_row + TILE_COLUMNS, 1);
    }
}

/** Sums of the first steps begin with bias and `add`, later ones where the former ended. */
static void run_block(const product_piece *piece, const product_block *block) {
    const pld_pair_product *p = piece->p;
    const bool lower = block->lower > 0;
    const bool ends = piece->last == piece->steps;
    const bool to_out = ends && p->columns == PANEL_COLUMNS && !p->gate;
    float *room = piece->room + (block->row - piece->first) * PANEL_COLUMNS;
    if (piece->step == 0 && begins_with_add(p)) {
        load_sums(block->upper, lower, p->add + block->row * p->out_row, p->out_row);
    } else if (piece->step > 0 || begins_in_room(p)) {
        load_sums(block->upper, lower, room, PANEL_COLUMNS);
    } else {
        load_sums(0, lower, piece->bias, 0); /* every row the same */
    }
    float *out = p->out + block->row * p->out_row;
    if (to_out) {
        fetch_to_write(out, block->upper + block->lower, p->out_row);
    }
    add_block(piece, block);
    if (to_out) {
        store_sums(block->upper, lower, out, p->out_row);
        return;
    }
    store_sums(block->upper, lower, room, PANEL_COLUMNS);
    if (ends) {
        leave_room(p, block->row, block->upper + block->lower, room);
    }
}

/** Rows from `row` on, before `end`, that one tile can take: within a run. */
static int64_t rows_of_tile(const pld_pair_product *p, int64_t row, int64_t end) {
    const int64_t run = p->run_rows - row % p->run_rows;
    return pld_smaller(pld_smaller(end - row, run), TILE_ROWS);
}

/** Ask for a panel's words of a step, which come from far away. */
static void fetch_step(const pld_pair_product *p, const uint32_t *panel, int64_t step) {
    const uint32_t *right =
        panel + step % p->taps * p->panel_tap + step / p->taps * TILE_PAIRS * PANEL_COLUMNS;
    for (int64_t word = 0; word < STEP_WORDS; word += PLD_LINE) {
        __builtin_prefetch(right + word, 0, 2);
    }
    for (int64_t word = 0; pld_pair_is_split(p) && word < STEP_WORDS; word += PLD_LINE) {
        __builtin_prefetch(right + p->panel_low + word, 0, 2);
    }
}

/** The steps that come after a piece's: those of this panel, or the first ones of the next. */
typedef struct steps_to_come {
    const uint32_t *panel; /* NULL: none */
    int64_t step, last, at_once;
} steps_to_come;

static steps_to_come steps_after(const product_piece *piece) {
    const int64_t steps = piece->last - piece->step;
    const int64_t at_once = pld_parts(steps, pld_parts(piece->rows, BLOCK_ROWS));
    if (piece->last < piece->steps) {
        return (steps_to_come){piece->p->panel, piece->last, pld_smaller(piece->last + steps, piece->steps),
                               at_once};
    }
    return (steps_to_come){piece->p->next_panel, 0, pld_smaller(steps, piece->steps), at_once};
}

static void fetch_steps(const pld_pair_product *p, steps_to_come *come) {
    for (int64_t i = 0; come->panel && i < come->at_once && come->step < come->last; i++) {
        fetch_step(p, come->panel, come->step++);
    }
}

/** All rows of the piece. `shape` is that of the tiles, and is changed with them. */
static void run_blocks(const product_piece *piece, product_block *shape) {
    const int64_t end = piece->first + piece->rows;
    steps_to_come come = steps_after(piece);
    for (product_block block = {.row = piece->first}; block.row < end;
         block.row += block.upper + block.lower) {
        block.upper = rows_of_tile(piece->p, block.row, end);
        block.lower = rows_of_tile(piece->p, block.row + block.upper, end);
        if (block.upper != shape->upper || block.lower != shape->lower) {
            shape->upper = block.upper;
            shape->lower = block.lower;
            shape_tiles(block.upper, block.lower);
        }
        fetch_steps(piece->p, &come);
        run_block(piece, &block);
    }
}

void PLD_KERNEL(pair_product)(const pld_pair_product *p) {
    __attribute__((aligned(64))) float room[ROOM_ROWS * PANEL_COLUMNS];
    float bias[PANEL_COLUMNS];
    product_block shape = {0};
    product_piece piece = {
        .p = p, .steps = pld_parts(p->pairs, TILE_PAIRS) * p->taps, .bias = bias, .room = room};
    set_bias(p, bias);
    const int64_t steps = pld_even_piece(piece.steps, pld_pair_is_split(p) ? MOST_SPLIT_STEPS : MOST_STEPS);
    for (; piece.first < p->rows; piece.first += piece.rows) {
        piece.rows = pld_smaller(ROOM_ROWS, p->rows - piece.first);
        if (begins_in_room(p)) {
            begin_in_room(&piece);
        }
        for (piece.step = 0; piece.step < piece.steps; piece.step = piece.last) {
            piece.last = pld_smaller(piece.step + steps, piece.steps);
            run_blocks(&piece, &shape);
        }
    }
    _tile_release();
}

/* More rows share a panel, which comes from the third level, and fewer pairs keep their part of the left side
 * in the second. */
pld_pair_block PLD_KERNEL(pair_block)(void) {
    return (pld_pair_block){ROOM_ROWS, 128};
}
