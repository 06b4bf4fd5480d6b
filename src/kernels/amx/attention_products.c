/* SPDX-License-Identifier: Apache-2.0 */
/* Products of pairs in tiles: keys row by row and values transposed, both with zeros up to whole tiles. */
#include "kernels/vector/attention_products.h"
#include "kernels/amx/tiles.h"
#include "kernels/vector/transpose.h"

_Static_assert((int)RIGHT_COLUMNS == (int)PLD_TILE && (int)BLOCK_PAIRS == (int)PLD_TILE,
               "transposed values are a tile's columns");

static int64_t whole_tiles(int64_t count, int64_t size) {
    return (count + size - 1) / size * size;
}

int64_t PLD_KERNEL(attention_key_words)(int head_size) {
    return whole_tiles(pld_pair_count(head_size), TILE_PAIRS);
}

int64_t PLD_KERNEL(attention_sum_rows)(int head_size) {
    return whole_tiles(head_size, TILE_ROWS);
}

/** [sum_rows][BLOCK_PAIRS]. */
int64_t PLD_KERNEL(attention_value_words)(int head_size) {
    return PLD_KERNEL(attention_sum_rows)(head_size) * BLOCK_PAIRS;
}

void PLD_KERNEL(attention_products_begin)(void) {
    shape_tiles(TILE_ROWS, TILE_ROWS);
}

void PLD_KERNEL(attention_products_end)(void) {
    _tile_release();
}

void PLD_KERNEL(attention_round_values)(const float *value, int64_t stride, int64_t count, int head_size,
                                        uint32_t *to) {
    enum { PIECE = 64 };
    float words[BLOCK_PAIRS * PIECE]; /* pairs, which the transposition moves as they are */
    for (int64_t first = 0; first < head_size; first += PIECE) {
        const int64_t width = head_size - first < PIECE ? head_size - first : PIECE;
        for (int64_t key = 0; key < count; key += 2) {
            const float *earlier = value + key * stride + first;
            join_rows(earlier, key + 1 < count ? earlier + stride : NULL, width,
                      (uint32_t *)(void *)(words + key / 2 * width));
        }
        rows_to_tile(words, width, pld_pair_count(count), width, (float *)(void *)(to + first * BLOCK_PAIRS));
    }
}

/** out [rows][PLD_TILE] (+)= left [rows][pairs] · right [pairs][PLD_TILE], all of whole tiles. */
static void product_of_tiles(const uint32_t *left, int64_t rows, int64_t left_row, int64_t pairs,
                             const uint32_t *right, bool accumulate, float *out) {
    TILE_MEMORY_BARRIER();
    for (int64_t row = 0; row < rows; row += BLOCK_ROWS) {
        const bool lower = rows - row > TILE_ROWS;
        if (accumulate) {
            load_sums(TILE_ROWS, lower, out + row * PLD_TILE, PLD_TILE);
        } else {
            clear_sums(lower);
        }
        for (int64_t k = 0; k < pairs; k += TILE_PAIRS) {
            const uint32_t *upper = left + row * left_row + k;
            add_products(upper, lower ? upper + TILE_ROWS * left_row : NULL, left_row,
                         right + k * RIGHT_COLUMNS);
        }
        store_sums(TILE_ROWS, lower, out + row * PLD_TILE, PLD_TILE);
    }
}

void PLD_KERNEL(attention_key_product)(const uint32_t *keys, int64_t count, int head_size,
                                       const uint32_t *query, float *logits) {
    const int64_t words = PLD_KERNEL(attention_key_words)(head_size);
    product_of_tiles(keys, whole_tiles(count, TILE_ROWS), words, words, query, false, logits);
}

void PLD_KERNEL(attention_value_product)(const uint32_t *values, int64_t count, int head_size,
                                         uint32_t *weights, bool accumulate, float *sums) {
    const int64_t own = pld_pair_count(count);
    const int64_t pairs = whole_tiles(own, TILE_PAIRS);
    memset(weights + own * PLD_TILE, 0, (size_t)((pairs - own) * PLD_TILE) * sizeof *weights);
    product_of_tiles(values, PLD_KERNEL(attention_sum_rows)(head_size), BLOCK_PAIRS, pairs, weights,
                     accumulate, sums);
}
