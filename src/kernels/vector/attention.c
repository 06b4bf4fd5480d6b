/* SPDX-License-Identifier: Apache-2.0 */
/* Attention of some query rows of one head, with the rows in the lanes and no map stored.
 *
 *  The keys on which PLADIS acts come first, all at once: their weights keep the mass of the dense ones, so
 * that they are simply the first block of an online softmax (Milakov & Gimelshein 2018, arXiv 1805.02867; Dao
 * et al. 2022, arXiv 2205.14135) over the other keys. Cross-attention has no other keys, softmax attention
 * only those. */
#include "kernels/cuts.h"
#include "kernels/table.h"
#include "kernels/vector/online_softmax.h"

/* Keys of one block of the online softmax: with their keys and values they stay in the first-level cache, and
 * they are blocks of a product without a rest. Query tiles that take turns on a block share its way there. */
enum {
    PLD_BLOCK_KEYS = 64 - 64 % (4 * PLD_BLOCK_ROWS),
    PLD_MAX_TILES = 3,
    PLD_TILES_FLOATS = 24 * 1024,
};

/** PLD_TILE query rows on their way through the keys. */
typedef struct query_tile {
    float *
        query; /* [head_size][PLD_TILE], scaled; logits are exponents of e for sparse keys, of 2 for others */
    online_softmax softmax;
    int64_t first; /* number of its first query, for causal attention */
} query_tile;

static int64_t tiles_at_once(int64_t sparse_keys, int head_size) {
    int64_t tiles = PLD_TILES_FLOATS / (2 * (int64_t)head_size * PLD_TILE);
    return sparse_keys || tiles < 1 ? 1 : tiles > PLD_MAX_TILES ? PLD_MAX_TILES : tiles;
}

int64_t PLD_KERNEL(attention_queries)(int64_t sparse_keys, int head_size) {
    return tiles_at_once(sparse_keys, head_size) * PLD_TILE;
}

/** Scratch, in this order: query and sums of each tile · weights [max(sparse_keys, PLD_BLOCK_KEYS)][PLD_TILE]
 * · spare [spare_keys(sparse_keys)][PLD_TILE]. */
size_t PLD_KERNEL(attention_scratch)(int64_t sparse_keys, int head_size) {
    int64_t keys = sparse_keys > PLD_BLOCK_KEYS ? sparse_keys : PLD_BLOCK_KEYS;
    keys += spare_keys(sparse_keys);
    return (size_t)((tiles_at_once(sparse_keys, head_size) * 2 * head_size + keys) * PLD_TILE);
}

/** Causal attention: keys after a row's own do not count. */
static void hide_later_keys(const query_tile *rows, int64_t begin, int64_t count, float *weights) {
    ivec lane;
    for (int i = 0; i < PLD_LANES; i++) {
        lane[i] = i;
    }
    for (int64_t key = begin > rows->first ? begin : rows->first + 1; key < begin + count; key++) {
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            float *at = weights + (key - begin) * PLD_TILE + v * PLD_LANES;
            const ivec later = lane < (int32_t)(key - rows->first) - v * PLD_LANES;
            store(at, select_lanes(later, splat(PLD_DEAD_LOGIT), load(at)));
        }
    }
}

/** Logits of keys [begin, begin + count) → weights [count][PLD_TILE]. */
static void compute_logits(const pld_attention_tile *tile, const query_tile *rows, int64_t begin,
                           int64_t count, float *weights) {
    product_left keys = {.at = tile->key + begin * tile->key_stride,
                         .rows = count,
                         .row = tile->key_stride,
                         .step = 1,
                         .soon = tile->value + begin * tile->value_stride,
                         .soon_row = tile->value_stride};
    PLD_KERNEL(tile_product)(&keys, tile->head_size, rows->query, false, weights);
    hide_masked_keys(tile, begin, count, weights);
    if (tile->causal) {
        hide_later_keys(rows, begin, count, weights);
    }
}

static void add_values(const pld_attention_tile *tile, query_tile *rows, int64_t begin, int64_t count,
                       const float *weights, bool accumulate) {
    product_left values = {.at = tile->value + begin * tile->value_stride,
                           .rows = tile->head_size,
                           .row = 1,
                           .step = tile->value_stride};
    PLD_KERNEL(tile_product)(&values, count, weights, accumulate, rows->softmax.sums);
}

/** From here on logits are exponents of 2. */
static void turn_to_powers_of_two(const pld_attention_tile *tile, query_tile *rows) {
    for (int64_t i = 0; i < tile->head_size * PLD_TILE_VECTORS; i++) {
        store(rows->query + i * PLD_LANES, load(rows->query + i * PLD_LANES) * splat(PLD_LOG2_E));
    }
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        rows->softmax.max.at[v] *= splat(PLD_LOG2_E);
    }
}

static void add_sparse_keys(const pld_attention_tile *tile, query_tile *rows, float *weights) {
    int64_t keys = tile->sparse_keys;
    int64_t room = keys > PLD_BLOCK_KEYS ? keys : PLD_BLOCK_KEYS;
    float *spare = spare_keys(keys) ? weights + room * PLD_TILE : NULL;
    compute_logits(tile, rows, 0, keys, weights);
    rows->softmax.max = PLD_KERNEL(tile_maximum)(weights, keys, rows->softmax.max);
    rows->softmax.total =
        PLD_KERNEL(tile_pladis)(weights, spare, keys, tile->lambda, tile->alpha, rows->softmax.max);
    add_values(tile, rows, 0, keys, weights, false);
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

static void add_dense_keys(const pld_attention_tile *tile, query_tile *rows, int64_t begin, int64_t count,
                           float *weights) {
    compute_logits(tile, rows, begin, count, weights);
    tile_row total;
    if (!powers_with_old_maxima(&rows->softmax, count, weights, &total)) {
        if (rows->softmax.rounded) { /* they are lost */
            compute_logits(tile, rows, begin, count, weights);
        }
        raise_maxima(&rows->softmax, count, begin == 0, weights);
        total = PLD_KERNEL(tile_exponential)(weights, count, rows->softmax.max, 1);
    }
    add_to_total(&rows->softmax, &total);
    add_values(tile, rows, begin, count, weights, begin != 0);
}

static void start_rows(const pld_attention_tile *tile, int64_t first, query_tile *rows) {
    int64_t count = tile->queries - first < PLD_TILE ? tile->queries - first : PLD_TILE;
    rows_to_tile(tile->query + first * tile->query_stride, tile->query_stride, count, tile->head_size,
                 rows->query);
    vec scale = splat(tile->sparse_keys ? tile->scale : tile->scale * PLD_LOG2_E);
    for (int64_t i = 0; i < tile->head_size * PLD_TILE_VECTORS; i++) {
        store(rows->query + i * PLD_LANES, load(rows->query + i * PLD_LANES) * scale);
    }
    start_softmax(&rows->softmax, tile->head_size);
    rows->first = tile->first_query + first;
}

void PLD_KERNEL(attention_tile)(const pld_attention_tile *tile, float *scratch) {
    query_tile tiles[PLD_MAX_TILES];
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
        int64_t keys = tile->keys - key < PLD_BLOCK_KEYS ? tile->keys - key : PLD_BLOCK_KEYS;
        for (int64_t i = 0; i < count; i++) {
            add_dense_keys(tile, &tiles[i], key, keys, weights);
        }
    }
    for (int64_t i = 0; i < count; i++) {
        finish_softmax(&tiles[i].softmax, tile, i * PLD_TILE);
    }
}
