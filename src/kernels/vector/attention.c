/* SPDX-License-Identifier: Apache-2.0 */
/* Attention of some query rows of one head, with the rows in the lanes and no map stored.
 *
 * The keys on which PLADIS acts come first, all at once: their weights keep the mass of the dense ones, so
 * that they are simply the first block of an online softmax (Milakov & Gimelshein 2018, arXiv 1805.02867; Dao
 * et al. 2022, arXiv 2205.14135) over the other keys. Cross-attention has no other keys, softmax attention
 * only those. */
#include <string.h>

#include "kernels/cuts.h"
#include "kernels/table.h"
#include "kernels/vector/online_softmax.h"

/* Keys of one block of the online softmax: with their keys and values they stay in the first-level cache, and
 * they are blocks of a product without a rest. Query tiles that take turns on a block share its way there and
 * its copy: as many of them as scratch has room for in the second level. */
enum {
    PLD_BLOCK_KEYS = 64 - 64 % (4 * PLD_BLOCK_ROWS),
    PLD_MOST_TILES = 16,
    PLD_LEAST_SHARING = 3, /* tiles for which a block is copied */
    PLD_SCRATCH_FLOATS = 64 * 1024,
};

/** PLD_TILE query rows on their way through the keys. */
typedef struct query_tile {
    float *query; /* [head_size][PLD_TILE], scaled: logits are exponents of e for sparse keys, else of 2 */
    online_softmax softmax;
    int64_t first; /* number of its first query, for causal attention */
} query_tile;

/** Floats of a copied block, keys and values. */
static int64_t copy_floats(int head_size) {
    return 2 * (int64_t)PLD_BLOCK_KEYS * head_size;
}

static int64_t tiles_at_once(int64_t sparse_keys, int head_size) {
    const int64_t room = PLD_SCRATCH_FLOATS - (int64_t)PLD_BLOCK_KEYS * PLD_TILE - copy_floats(head_size);
    const int64_t tiles = sparse_keys ? 1 : room / (2 * (int64_t)head_size * PLD_TILE);
    return tiles < 1 ? 1 : pld_smaller(tiles, PLD_MOST_TILES);
}

int64_t PLD_KERNEL(attention_query_block)(void) {
    return PLD_TILE;
}

int64_t PLD_KERNEL(attention_queries)(int64_t sparse_keys, int head_size) {
    return tiles_at_once(sparse_keys, head_size) * PLD_TILE;
}

/** Scratch, in this order: query and sums of each tile · weights [max(sparse_keys, PLD_BLOCK_KEYS)][PLD_TILE]
 * · spare [spare_keys(sparse_keys)][PLD_TILE], or where tiles share blocks the copy of one. */
size_t PLD_KERNEL(attention_scratch)(int64_t sparse_keys, int head_size) {
    const int64_t tiles = tiles_at_once(sparse_keys, head_size);
    const int64_t keys = pld_larger(sparse_keys, PLD_BLOCK_KEYS) + spare_keys(sparse_keys);
    return (size_t)((tiles * 2 * head_size + keys) * PLD_TILE + (tiles > 1 ? copy_floats(head_size) : 0));
}

/** Causal attention: keys after a row's own do not count. */
static void hide_later_keys(const query_tile *rows, int64_t begin, int64_t count, float *weights) {
    ivec lane;
    for (int i = 0; i < PLD_LANES; i++) {
        lane[i] = i;
    }
    for (int64_t key = begin > rows->first ? begin : rows->first + 1; key < begin + count; key++) {
        for (int64_t v = 0; v < PLD_TILE_VECTORS; v++) {
            float *at = weights + (key - begin) * PLD_TILE + v * PLD_LANES;
            const ivec later = lane < (int32_t)(key - rows->first - v * PLD_LANES);
            store(at, select_lanes(later, splat(PLD_DEAD_LOGIT), load(at)));
        }
    }
}

/** Keys [begin, begin + count) of a head and their values, rows [head_size]. */
typedef struct key_block {
    int64_t begin, count;
    const float *key, *value;
    int64_t key_row, value_row;
    product_soon soon[2]; /* fetched on the way to its first logits */
} key_block;

/** A block where its keys are. On the way to its logits, keys `ahead` rows further and values `values_ahead`
 * further are fetched. */
static key_block keys_in_place(const pld_attention_tile *tile, int64_t begin, int64_t count, int64_t ahead,
                               int64_t values_ahead) {
    const float *key = tile->key + begin * tile->key_stride;
    const float *value = tile->value + begin * tile->value_stride;
    return (key_block){begin,
                       count,
                       key,
                       value,
                       tile->key_stride,
                       tile->value_stride,
                       {{key, tile->key_stride, ahead}, {value, tile->value_stride, values_ahead}}};
}

static void copy_rows(const float *from, int64_t row, int64_t count, int head_size, float *to) {
    for (int64_t i = 0; i < count; i++, from += row, to += head_size) {
        memcpy(to, from, (size_t)head_size * sizeof *to);
    }
}

/** The block's rows → `room` [2][PLD_BLOCK_KEYS][head_size]. Those of a head lie a whole row of all heads
 * apart, a distance that few sets of the first-level cache share: with 1280 floats half of the values has
 * room there. */
static void bring_together(key_block *block, int head_size, float *room) {
    float *value = room + (int64_t)PLD_BLOCK_KEYS * head_size;
    copy_rows(block->key, block->key_row, block->count, head_size, room);
    copy_rows(block->value, block->value_row, block->count, head_size, value);
    block->key = room;
    block->value = value;
    block->key_row = block->value_row = head_size;
}

/** Logits of a block's keys → weights [count][PLD_TILE]. */
static void compute_logits(const pld_attention_tile *tile, const query_tile *rows, const key_block *block,
                           float *weights) {
    product_left keys = {.at = block->key,
                         .rows = block->count,
                         .row = block->key_row,
                         .step = 1,
                         .soon = {block->soon[0], block->soon[1]}};
    PLD_KERNEL(tile_product)(&keys, tile->head_size, rows->query, false, weights);
    hide_masked_keys(tile, block->begin, block->count, weights);
    if (tile->causal) {
        hide_later_keys(rows, block->begin, block->count, weights);
    }
}

static void add_values(const pld_attention_tile *tile, query_tile *rows, const key_block *block,
                       const float *weights, bool accumulate) {
    product_left values = {.at = block->value, .rows = tile->head_size, .row = 1, .step = block->value_row};
    PLD_KERNEL(tile_product)(&values, block->count, weights, accumulate, rows->softmax.sums);
}

/** From here on logits are exponents of 2. */
static void turn_to_powers_of_two(const pld_attention_tile *tile, query_tile *rows) {
    for (int64_t i = 0; i < (int64_t)tile->head_size * PLD_TILE_VECTORS; i++) {
        store(rows->query + i * PLD_LANES, load(rows->query + i * PLD_LANES) * splat(PLD_LOG2_E));
    }
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        rows->softmax.max.at[v] *= splat(PLD_LOG2_E);
    }
}

static void add_sparse_keys(const pld_attention_tile *tile, query_tile *rows, float *weights) {
    const int64_t keys = tile->sparse_keys;
    float *spare = spare_keys(keys) ? weights + pld_larger(keys, PLD_BLOCK_KEYS) * PLD_TILE : NULL;
    const key_block block = keys_in_place(tile, 0, keys, PLD_BLOCK_ROWS, 0);
    compute_logits(tile, rows, &block, weights);
    rows->softmax.max = PLD_KERNEL(tile_maximum)(weights, keys, rows->softmax.max);
    rows->softmax.total =
        PLD_KERNEL(tile_pladis)(weights, spare, keys, tile->lambda, tile->alpha, rows->softmax.max);
    add_values(tile, rows, &block, weights, false);
}

/** Logits `weights` [keys][PLD_TILE] → powers and their sums, if the maxima so far serve them, too. If not,
 * and if `rounded`, the logits are lost. */
static bool powers_with_old_maxima(const online_softmax *rows, int64_t keys, float *weights,
                                   tile_row *total) {
    if (!rows->rounded) {
        return false;
    }
    tile_row max = rows->max;
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        total->at[v] = splat(0);
    }
    PLD_KERNEL(tile_powers)(weights, keys, &rows->max, total, &max);
    ivec large = {0};
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        large |= max.at[v] - rows->max.at[v] > splat(PLD_EXCESS_LIMIT);
    }
    return !any_lane(large);
}

static void add_dense_keys(const pld_attention_tile *tile, query_tile *rows, const key_block *block,
                           float *weights) {
    compute_logits(tile, rows, block, weights);
    tile_row total;
    if (!powers_with_old_maxima(&rows->softmax, block->count, weights, &total)) {
        if (rows->softmax.rounded) { /* they are lost */
            compute_logits(tile, rows, block, weights);
        }
        raise_maxima(&rows->softmax, block->count, block->begin == 0, weights);
        total = PLD_KERNEL(tile_exponential)(weights, block->count, rows->softmax.max, 1);
    }
    add_to_total(&rows->softmax, &total);
    add_values(tile, rows, block, weights, block->begin != 0);
}

/** The keys from `begin` on, of one block, for all query tiles [count]. */
static void add_block(const pld_attention_tile *tile, int64_t begin, int64_t count, query_tile *tiles,
                      float *weights) {
    const int64_t keys = pld_smaller(tile->keys - begin, PLD_BLOCK_KEYS);
    const bool shared = count >= PLD_LEAST_SHARING;
    key_block block = shared ? keys_in_place(tile, begin, keys, keys, keys)
                             : keys_in_place(tile, begin, keys, PLD_BLOCK_ROWS, 0);
    if (shared && tile->value_stride != tile->head_size) {
        bring_together(&block, tile->head_size, weights + (int64_t)PLD_BLOCK_KEYS * PLD_TILE);
    }
    for (int64_t i = 0; i < count; i++) {
        add_dense_keys(tile, &tiles[i], &block, weights);
        block.soon[0].at = block.soon[1].at = NULL; /* they are on their way */
    }
}

static void start_rows(const pld_attention_tile *tile, int64_t first, query_tile *rows) {
    int64_t count = tile->queries - first < PLD_TILE ? tile->queries - first : PLD_TILE;
    rows_to_tile(tile->query + first * tile->query_stride, tile->query_stride, count, tile->head_size,
                 rows->query);
    vec scale = splat(tile->sparse_keys ? tile->scale : tile->scale * PLD_LOG2_E);
    for (int64_t i = 0; i < (int64_t)tile->head_size * PLD_TILE_VECTORS; i++) {
        store(rows->query + i * PLD_LANES, load(rows->query + i * PLD_LANES) * scale);
    }
    start_softmax(&rows->softmax, tile->head_size);
    rows->first = tile->first_query + first;
}

void PLD_KERNEL(attention_tile)(const pld_attention_tile *tile, float *scratch) {
    query_tile tiles[PLD_MOST_TILES];
    int64_t row_floats = (int64_t)tile->head_size * PLD_TILE;
    int64_t room = tiles_at_once(tile->sparse_keys, tile->head_size);
    int64_t count = pld_parts(tile->queries, PLD_TILE);
    float *weights = scratch + 2 * room * row_floats;
    for (int64_t i = 0; i < count; i++) {
        tiles[i].query = scratch + 2 * i * row_floats;
        tiles[i].softmax.sums = tiles[i].query + row_floats;
        start_rows(tile, i * PLD_TILE, &tiles[i]);
        if (tile->sparse_keys) {
            add_sparse_keys(tile, &tiles[i], weights);
            if (tile->sparse_keys < tile->keys) {
                turn_to_powers_of_two(tile, &tiles[i]);
            }
        }
    }
    for (int64_t key = tile->sparse_keys; key < tile->keys; key += PLD_BLOCK_KEYS) {
        add_block(tile, key, count, tiles, weights);
    }
    for (int64_t i = 0; i < count; i++) {
        finish_softmax(&tiles[i].softmax, tile, i * PLD_TILE);
    }
}
