/* SPDX-License-Identifier: Apache-2.0 */
/* Attention of some query rows of one head, with the rows in the lanes and no map stored.
 *
 * The keys on which PLADIS acts come first, all at once: their weights keep the mass of the dense ones, so
 * that they are simply the first block of an online softmax (Milakov & Gimelshein 2018, arXiv 1805.02867; Dao
 * et al. 2022, arXiv 2205.14135) over the other keys. Cross-attention has no other keys, softmax attention
 * only those, joint attention both. */
#include <string.h>

#include "kernels/cuts.h"
#include "kernels/table.h"
#include "kernels/vector/logits.h"
#include "kernels/vector/online_softmax.h"

/* Keys of one block of the online softmax: with their keys and values they stay in the first-level cache, and
 * they are blocks of a product without a rest. Query tiles that take turns on a block share its way there and
 * its copy: as many of them as scratch has room for in the second level. So they do on blocks of sparse keys
 * where others follow, some of them at a time, whose logits have a room of their own. */
enum {
    PLD_BLOCK_KEYS = 64 - 64 % (4 * PLD_BLOCK_ROWS),
    PLD_MOST_TILES = 16,
    PLD_LEAST_SHARING = 3, /* tiles for which a block is copied */
    PLD_SCRATCH_FLOATS = 64 * 1024,
    PLD_SPARSE_FLOATS = 84 * 1024,
};

/** PLD_TILE query rows on their way through the keys. */
typedef struct query_tile {
    float *query; /* [head_size][PLD_TILE], scaled: logits are exponents of e for sparse keys, else of 2 */
    online_softmax softmax;
    int64_t row; /* of the tile: its first query */
} query_tile;

/** Floats of a copied block, keys and values. */
static int64_t copy_floats(int head_size) {
    return 2 * (int64_t)PLD_BLOCK_KEYS * head_size;
}

static int64_t tiles_at_once(const pld_attention_shape *shape) {
    const int64_t room =
        PLD_SCRATCH_FLOATS - (int64_t)PLD_BLOCK_KEYS * PLD_TILE - copy_floats(shape->head_size);
    const int64_t tiles = shape->dense_keys ? room / (2 * (int64_t)shape->head_size * PLD_TILE) : 1;
    return tiles < 1 ? 1 : pld_smaller(tiles, PLD_MOST_TILES);
}

/** Sparse keys, and one for all zero keys. */
static int64_t sparse_rows(const pld_attention_shape *shape) {
    return shape->sparse_keys + (shape->sparse_keys > 0 && shape->zero_keys > 0);
}

static int64_t spare_rows(const pld_attention_shape *shape) {
    const int64_t rows = sparse_rows(shape);
    return shape->dense_keys ? joint_spare_keys(rows) : spare_keys(rows);
}

/** Tiles that go through the sparse keys together. */
static int64_t sparse_tiles(const pld_attention_shape *shape) {
    const int64_t rows = sparse_rows(shape);
    const int64_t tiles = rows ? PLD_SPARSE_FLOATS / (rows * PLD_TILE) : 0;
    return rows ? pld_larger(1, pld_smaller(tiles, tiles_at_once(shape))) : 0;
}

int64_t PLD_KERNEL(attention_query_block)(void) {
    return PLD_TILE;
}

int64_t PLD_KERNEL(attention_queries)(const pld_attention_shape *shape) {
    return tiles_at_once(shape) * PLD_TILE;
}

/** Scratch, in this order: query and sums of each tile · weights of a block [PLD_BLOCK_KEYS][PLD_TILE] and,
 * where tiles share blocks, the copy of one · of sparse keys the weights of sparse_tiles tiles [sparse_rows]
 * [PLD_TILE] and spare [spare_rows][PLD_TILE]. */
typedef struct scratch_layout {
    int64_t weights, copy, sparse, spare, end; /* floats before them */
} scratch_layout;

static scratch_layout layout_of(const pld_attention_shape *shape) {
    const int64_t tiles = tiles_at_once(shape);
    const int64_t rows = sparse_rows(shape);
    scratch_layout layout = {.weights = tiles * 2 * shape->head_size * PLD_TILE};
    layout.copy = layout.weights + (shape->dense_keys ? PLD_BLOCK_KEYS * PLD_TILE : 0);
    layout.sparse = layout.copy + (tiles > 1 ? copy_floats(shape->head_size) : 0);
    layout.spare = layout.sparse + sparse_tiles(shape) * rows * PLD_TILE;
    layout.end = layout.spare + spare_rows(shape) * PLD_TILE;
    return layout;
}

size_t PLD_KERNEL(attention_scratch)(const pld_attention_shape *shape) {
    return (size_t)layout_of(shape).end;
}

/** Tiles [0, count) on their way, and where scratch is. */
typedef struct attention_way {
    const pld_attention_tile *tile;
    pld_attention_shape shape;
    scratch_layout layout;
    float *scratch;
    int64_t count;
    query_tile tiles[PLD_MOST_TILES];
} attention_way;

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

/* A block's rows → `room` [PLD_BLOCK_KEYS][head_size]. Those of a head lie a whole row of all heads apart, a
 * distance that few sets of the first-level cache share: with 1280 floats half of the values has room there.
 */

static void bring_keys_together(key_block *block, int head_size, float *room) {
    copy_rows(block->key, block->key_row, block->count, head_size, room);
    block->key = room;
    block->key_row = head_size;
}

static void bring_values_together(key_block *block, int head_size, float *room) {
    copy_rows(block->value, block->value_row, block->count, head_size, room);
    block->value = room;
    block->value_row = head_size;
}

/** `tiles` tiles share a block, and its rows are apart. */
static bool is_worth_copying(const pld_attention_tile *tile, int64_t tiles) {
    return tiles >= PLD_LEAST_SHARING && tile->value_stride != tile->head_size;
}

/** Logits of a block's keys → weights [count][PLD_TILE]. */
static void compute_logits(const pld_attention_tile *tile, const query_tile *rows, const key_block *block,
                           float unit, float *weights) {
    product_left keys = {.at = block->key,
                         .rows = block->count,
                         .row = block->key_row,
                         .step = 1,
                         .soon = {block->soon[0], block->soon[1]}};
    PLD_KERNEL(tile_product)(&keys, tile->head_size, rows->query, false, weights);
    finish_logits(tile, &(logit_block){rows->row, block->begin, block->count, unit, weights});
}

static void add_values(const pld_attention_tile *tile, query_tile *rows, const key_block *block,
                       const float *weights) {
    product_left values = {.at = block->value, .rows = tile->head_size, .row = 1, .step = block->value_row};
    PLD_KERNEL(tile_product)(&values, block->count, weights, rows->softmax.started, rows->softmax.sums);
    rows->softmax.started = true;
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

/** Tiles [first, first + count), and the blocks in which they take the sparse keys: without others that
 * follow these are few, and taken at once. */
typedef struct sparse_group {
    int64_t first, count, block_keys;
} sparse_group;

static key_block sparse_block(const attention_way *way, const sparse_group *group, int64_t begin) {
    const pld_attention_tile *tile = way->tile;
    const int64_t left = tile->sparse_first + tile->sparse_keys - begin;
    return keys_in_place(tile, begin, pld_smaller(left, group->block_keys), PLD_BLOCK_ROWS, 0);
}

static float *sparse_weights_of(const attention_way *way, int64_t i, int64_t key) {
    const int64_t row = i * sparse_rows(&way->shape) + key - way->tile->sparse_first;
    return way->scratch + way->layout.sparse + row * PLD_TILE;
}

/** Logits of the group's sparse keys, and their maxima while a block of them is near. */
static void add_sparse_logits(attention_way *way, const sparse_group *group) {
    const pld_attention_tile *tile = way->tile;
    const int64_t end = tile->sparse_first + tile->sparse_keys;
    for (int64_t key = tile->sparse_first; key < end; key += group->block_keys) {
        key_block block = sparse_block(way, group, key);
        if (is_worth_copying(tile, group->count)) {
            bring_keys_together(&block, tile->head_size, way->scratch + way->layout.copy);
        }
        for (int64_t i = 0; i < group->count; i++) {
            query_tile *own = &way->tiles[group->first + i];
            float *logits = sparse_weights_of(way, i, key);
            compute_logits(tile, own, &block, 1, logits);
            own->softmax.max = PLD_KERNEL(tile_maximum)(logits, block.count, own->softmax.max);
            block.soon[0].at = block.soon[1].at = NULL; /* they are on their way */
        }
    }
}

/** The logits of tile `i` of the group → weights. */
static void weigh_sparse_keys(attention_way *way, const sparse_group *group, int64_t i) {
    const pld_attention_tile *tile = way->tile;
    const int64_t rows = sparse_rows(&way->shape);
    query_tile *own = &way->tiles[group->first + i];
    float *weights = sparse_weights_of(way, i, tile->sparse_first);
    float *spare = spare_rows(&way->shape) ? way->scratch + way->layout.spare : NULL;
    if (tile->zero_keys) {
        float *zeros = weights + (rows - 1) * PLD_TILE;
        memset(zeros, 0, PLD_TILE * sizeof *zeros);
        own->softmax.max = PLD_KERNEL(tile_maximum)(zeros, 1, own->softmax.max);
    }
    own->softmax.total =
        PLD_KERNEL(tile_pladis)(weights, spare, rows, tile->zero_keys ? tile->zero_keys - 1 : 0, tile->lambda,
                                tile->alpha, own->softmax.max);
    if (way->shape.dense_keys) {
        turn_to_powers_of_two(tile, own);
    }
}

static void add_sparse_values(attention_way *way, const sparse_group *group) {
    const pld_attention_tile *tile = way->tile;
    const int64_t end = tile->sparse_first + tile->sparse_keys;
    for (int64_t key = tile->sparse_first; key < end; key += group->block_keys) {
        key_block block = sparse_block(way, group, key);
        if (is_worth_copying(tile, group->count)) {
            bring_values_together(&block, tile->head_size, way->scratch + way->layout.copy);
        }
        for (int64_t i = 0; i < group->count; i++) {
            add_values(tile, &way->tiles[group->first + i], &block, sparse_weights_of(way, i, key));
        }
    }
}

/** All keys on which PLADIS acts, for some tiles at a time. */
static void add_sparse_keys(attention_way *way) {
    const int64_t most = sparse_tiles(&way->shape);
    sparse_group group = {.block_keys = way->shape.dense_keys ? PLD_BLOCK_KEYS : way->shape.sparse_keys};
    for (; group.first < way->count; group.first += group.count) {
        group.count = pld_smaller(most, way->count - group.first);
        add_sparse_logits(way, &group);
        for (int64_t i = 0; i < group.count; i++) {
            weigh_sparse_keys(way, &group, i);
        }
        add_sparse_values(way, &group);
    }
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
    compute_logits(tile, rows, block, PLD_LOG2_E, weights);
    tile_row total;
    if (!powers_with_old_maxima(&rows->softmax, block->count, weights, &total)) {
        if (rows->softmax.rounded) { /* they are lost */
            compute_logits(tile, rows, block, PLD_LOG2_E, weights);
        }
        raise_maxima(&rows->softmax, block->count, weights);
        total = PLD_KERNEL(tile_exponential)(weights, block->count, rows->softmax.max, 1);
    }
    add_to_total(&rows->softmax, &total);
    add_values(tile, rows, block, weights);
}

/** A query of these rows sees a key of the block, as far as the order of tokens says. */
static bool sees_block(const pld_attention_tile *tile, const query_tile *rows, const key_block *block) {
    const int64_t first = tile->first_query + rows->row;
    return !tile->causal || (block->begin < first + PLD_TILE &&
                             (!tile->window || block->begin + block->count > first - tile->window + 1));
}

/** The keys [begin, begin + keys) for all query tiles. */
static void add_block(attention_way *way, int64_t begin, int64_t keys) {
    const pld_attention_tile *tile = way->tile;
    const bool shared = way->count >= PLD_LEAST_SHARING;
    float *copy = way->scratch + way->layout.copy;
    key_block block = shared ? keys_in_place(tile, begin, keys, keys, keys)
                             : keys_in_place(tile, begin, keys, PLD_BLOCK_ROWS, 0);
    if (is_worth_copying(tile, way->count)) {
        bring_keys_together(&block, tile->head_size, copy);
        bring_values_together(&block, tile->head_size, copy + (int64_t)PLD_BLOCK_KEYS * tile->head_size);
    }
    for (int64_t i = 0; i < way->count; i++) {
        if (sees_block(tile, &way->tiles[i], &block)) {
            add_dense_keys(tile, &way->tiles[i], &block, way->scratch + way->layout.weights);
            block.soon[0].at = block.soon[1].at = NULL; /* they are on their way */
        }
    }
}

/** The dense keys [begin, end), in blocks that begin at multiples of their size. */
static void add_blocks(attention_way *way, int64_t begin, int64_t end) {
    for (int64_t key = begin; key < end; key += PLD_BLOCK_KEYS) {
        add_block(way, key, pld_smaller(end - key, PLD_BLOCK_KEYS));
    }
}

static void start_rows(const pld_attention_tile *tile, int64_t row, query_tile *rows) {
    int64_t count = tile->queries - row < PLD_TILE ? tile->queries - row : PLD_TILE;
    rows_to_tile(tile->query + row * tile->query_stride, tile->query_stride, count, tile->head_size,
                 rows->query);
    vec scale = splat(tile->sparse_keys ? tile->scale : tile->scale * PLD_LOG2_E);
    for (int64_t i = 0; i < (int64_t)tile->head_size * PLD_TILE_VECTORS; i++) {
        store(rows->query + i * PLD_LANES, load(rows->query + i * PLD_LANES) * scale);
    }
    start_softmax(&rows->softmax, tile->head_size, tile->sparse_keys ? 0 : tile->zero_keys);
    rows->row = row;
}

/** The first key that a query of the tile sees, down to a whole number of blocks. */
static int64_t first_key(const pld_attention_tile *tile) {
    const int64_t seen = tile->window ? pld_larger(0, tile->first_query - tile->window + 1) : 0;
    return seen - seen % PLD_BLOCK_KEYS;
}

void PLD_KERNEL(attention_tile)(const pld_attention_tile *tile, float *scratch) {
    attention_way way = {.tile = tile, .shape = pld_attention_shape_of(tile), .scratch = scratch};
    const int64_t row_floats = (int64_t)tile->head_size * PLD_TILE;
    way.layout = layout_of(&way.shape);
    way.count = pld_parts(tile->queries, PLD_TILE);
    for (int64_t i = 0; i < way.count; i++) {
        way.tiles[i].query = scratch + 2 * i * row_floats;
        way.tiles[i].softmax.sums = way.tiles[i].query + row_floats;
        start_rows(tile, i * PLD_TILE, &way.tiles[i]);
    }
    if (tile->sparse_keys) {
        add_sparse_keys(&way);
        add_blocks(&way, 0, tile->sparse_first);
        add_blocks(&way, tile->sparse_first + tile->sparse_keys, tile->keys);
    } else {
        add_blocks(&way, first_key(tile), tile->keys);
    }
    for (int64_t i = 0; i < way.count; i++) {
        finish_softmax(&way.tiles[i].softmax, tile, i * PLD_TILE);
    }
}
