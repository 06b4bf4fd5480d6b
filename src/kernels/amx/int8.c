/* SPDX-License-Identifier: Apache-2.0 */
/* Products of 8-bit integers with panels of them on AMX: two by two tiles, 32 rows by the 32 columns of a panel. A piece of
 * the depth is 16 KiB of a panel, which stays in the first level of the cache for all rows. */
#include "kernels/amx/tiles.h"
#include "kernels/cuts.h"
#include "kernels/table.h"
#include "kernels/vector/int8_output.h"

_Static_assert((int)PANEL_COLUMNS == (int)RIGHT_COLUMNS, "the width of a panel");

/** Sums of rows [row, row + upper + lower) → room [rows, RIGHT_COLUMNS]. */
static void multiply_block(const pld_int8_product *p, int64_t row, int64_t upper, int64_t lower,
                           int32_t *room) {
    const uint32_t *left = p->left + row * p->left_row;
    const uint32_t *below = lower ? left + upper * p->left_row : NULL;
    clear_sums(lower > 0);
    for (int64_t k = 0; k < p->words; k += TILE_PAIRS) {
        load_right(p->panel + k * RIGHT_COLUMNS);
        load_left(left + k, below ? below + k : NULL, p->left_row);
        multiply_integer_tiles(lower > 0);
    }
    store_sums(upper, lower > 0, (float *)(void *)room, RIGHT_COLUMNS);
}

void PLD_KERNEL(int8_product)(const pld_int8_product *p) {
    __attribute__((aligned(64))) int32_t room[BLOCK_ROWS * RIGHT_COLUMNS];
    int64_t upper = 0, lower = 0;
    for (int64_t row = 0; row < p->rows; row += upper + lower) {
        const int64_t above = pld_smaller(p->rows - row, TILE_ROWS);
        const int64_t below = pld_smaller(p->rows - row - above, TILE_ROWS);
        if (above != upper || below != lower) {
            shape_tiles(above, below);
            upper = above;
            lower = below;
        }
        multiply_block(p, row, upper, lower, room);
        for (int64_t m = 0; m < upper + lower; m++) {
            integer_sums sums;
            memcpy(&sums, room + m * RIGHT_COLUMNS, sizeof sums);
            write_integers(p, 1, row + m, &sums);
        }
    }
    _tile_release();
}
