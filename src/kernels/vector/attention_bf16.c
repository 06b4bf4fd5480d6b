/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax attention of some query rows of one head with products of bfloat16 operands: attention.c's way,
 * with the rows in the lanes and an online softmax over blocks of keys, where a pair takes the place of a
 * number. Keys and values are rounded for each block of keys; the query tiles that take turns on it share
 * that. Where PLADIS acts, on the text of a joint attention, logits and rows are float32, as sums are. */
#include "kernels/cuts.h"
#include "kernels/vector/attention_products.h"
#include "kernels/vector/logits.h"
#include "kernels/vector/online_softmax.h"

/* What shares a block of keys fills the second level, and not more: reading a block costs as much as its way
 * through several tiles. Logits of sparse keys are kept for some tiles at a time. */
enum { MOST_TILES = 32, TILES_WORDS = 200 * 1024, SPARSE_WORDS = 128 * 1024 };

/** PLD_TILE query rows on their way through the keys. */
typedef struct query_tile {
    uint32_t *query; /* [key_words][PLD_TILE], scaled: logits are exponents of 2 */
    online_softmax softmax;
    int64_t row; /* of the tile: its first query */
} query_tile;

/** A block of keys, rounded, and what becomes of it for one query tile. */
typedef struct key_block {
    uint32_t *keys;   /* [BLOCK_KEYS][key_words] */
    uint32_t *values; /* [value_words] */
    float *logits;    /* [BLOCK_KEYS][PLD_TILE] */
    uint32_t *pairs;  /* [BLOCK_PAIRS][PLD_TILE], the weights in pairs of keys */
    int64_t begin, count;
} key_block;

static int64_t tile_words(int head_size) {
    return (PLD_KERNEL(attention_key_words)(head_size) + PLD_KERNEL(attention_sum_rows)(head_size)) *
           PLD_TILE;
}

static int64_t block_words(int head_size) {
    return BLOCK_KEYS * PLD_KERNEL(attention_key_words)(head_size) +
           PLD_KERNEL(attention_value_words)(head_size);
}

static int64_t tiles_at_once(int head_size) {
    const int64_t tiles = TILES_WORDS / tile_words(head_size);
    return pld_larger(1, pld_smaller(tiles, MOST_TILES));
}

int64_t PLD_KERNEL(attention_bf16_queries)(const pld_attention_shape *shape) {
    return tiles_at_once(shape->head_size) * PLD_TILE;
}

/** Sparse keys, and one for all zero keys. */
static int64_t sparse_rows(const pld_attention_shape *shape) {
    return shape->sparse_keys + (shape->sparse_keys > 0 && shape->zero_keys > 0);
}

/** Words of a tile's logits of sparse keys, in whole blocks. */
static int64_t sparse_words(const pld_attention_shape *shape) {
    return pld_parts(sparse_rows(shape), BLOCK_KEYS) * LOGIT_WORDS;
}

/** Tiles that go through the sparse keys together. */
static int64_t sparse_tiles(const pld_attention_shape *shape) {
    const int64_t words = sparse_words(shape);
    return words ? pld_larger(1, pld_smaller(SPARSE_WORDS / words, tiles_at_once(shape->head_size))) : 0;
}

/** Scratch, in this order: logits and pairs of weights · query and sums of each tile · keys and values · of
 * sparse keys the logits of sparse_tiles tiles, and spare. */
size_t PLD_KERNEL(attention_bf16_scratch)(const pld_attention_shape *shape) {
    const int64_t tiles = tiles_at_once(shape->head_size);
    const int64_t sparse = sparse_tiles(shape) * sparse_words(shape);
    const int64_t spare = joint_spare_keys(sparse_rows(shape)) * PLD_TILE;
    return (size_t)(SCORE_WORDS + tiles * tile_words(shape->head_size) + block_words(shape->head_size) +
                    sparse + spare);
}

/** Tiles [0, count) on their way, and where scratch is. */
typedef struct attention_way {
    const pld_attention_tile *tile;
    pld_attention_shape shape;
    key_block block;
    float *sparse, *spare;
    int64_t count;
    query_tile tiles[MOST_TILES];
} attention_way;

/** One row [count] → pairs [pld_pair_count(count)]. The last vector may overlap the one before it. */
static void round_row(const float *from, int64_t count, uint32_t *to) {
    uint16_t part[2 * PLD_LANES] = {0};
    if (count % 2) {
        to[count / 2] = 0;
    }
    if (count < PLD_LANES) {
        store_rounded(part, load_part(from, (size_t)count));
        memcpy(to, part, (size_t)count * sizeof *part);
        return;
    }
    for (int64_t i = 0; i < count; i += PLD_LANES) {
        const int64_t at = i + PLD_LANES <= count ? i : count - PLD_LANES;
        store_rounded((char *)to + (size_t)at * sizeof *part, load(from + at));
    }
}

/** Make [begin, end) the block, or its first BLOCK_KEYS keys. */
static void begin_block(int64_t begin, int64_t end, key_block *block) {
    block->begin = begin;
    block->count = pld_smaller(end - begin, BLOCK_KEYS);
}

static void read_keys(const pld_attention_tile *tile, key_block *block) {
    const int64_t words = PLD_KERNEL(attention_key_words)(tile->head_size);
    for (int64_t key = 0; key < block->count; key++) {
        round_row(tile->key + (block->begin + key) * tile->key_stride, tile->head_size,
                  block->keys + key * words);
    }
}

static void read_values(const pld_attention_tile *tile, key_block *block) {
    PLD_KERNEL(attention_round_values)
    (tile->value + block->begin * tile->value_stride, tile->value_stride, block->count, tile->head_size,
     block->values);
}

static void compute_logits(const pld_attention_tile *tile, const query_tile *rows, const key_block *block,
                           float *logits) {
    PLD_KERNEL(attention_key_product)
    (block->keys, block->count, tile->head_size, rows->query, logits);
    finish_logits(tile, &(logit_block){rows->row, block->begin, block->count, PLD_LOG2_E, logits});
}

/** Two keys' logits → their powers of 2 over `reference`, in pairs at `to`; `total` grows by them. */
PLD_INLINE void powers_of_pair(const float *logits, const bool two, const tile_row *reference, uint32_t *to,
                               tile_row *total) {
    const ivec ones = splat_pair(0x3f803f80U);
    for (int64_t v = 0; v < PLD_TILE_VECTORS; v++) {
        vec earlier = rough_exp2_of(load(logits + v * PLD_LANES) - reference->at[v]);
        vec later = {0};
        if (two) {
            later = rough_exp2_of(load(logits + PLD_TILE + v * PLD_LANES) - reference->at[v]);
        }
        ivec words = join_pairs(earlier, later);
        memcpy(to + v * PLD_LANES, &words, sizeof words);
        total->at[v] = add_pairs(total->at[v], words, ones);
    }
}

/** The block's logits → its pairs of weights, over the maxima of the softmax. Returns their total, which is
 * that of the rounded weights, so that the average of equal values is that value. */
static tile_row pairs_of_powers(const key_block *block, const tile_row *maxima) {
    tile_row total = {{{0}}};
    const tile_row reference = *maxima;
    int64_t key = 0;
    for (; key + 2 <= block->count; key += 2) {
        powers_of_pair(block->logits + key * PLD_TILE, true, &reference, block->pairs + key / 2 * PLD_TILE,
                       &total);
    }
    if (key < block->count) {
        powers_of_pair(block->logits + key * PLD_TILE, false, &reference, block->pairs + key / 2 * PLD_TILE,
                       &total);
    }
    return total;
}

/** No weight of such a total is larger than 2^PLD_EXCESS_LIMIT. */
static bool is_moderate(const tile_row *total) {
    ivec large = {0};
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        large |= total->at[v] > splat((float)(1 << PLD_EXCESS_LIMIT));
    }
    return !any_lane(large);
}

static void add_keys(const pld_attention_tile *tile, query_tile *rows, const key_block *block) {
    online_softmax *softmax = &rows->softmax;
    compute_logits(tile, rows, block, block->logits);
    tile_row total;
    bool done = false;
    if (softmax->started) { /* most blocks need no new maxima */
        total = pairs_of_powers(block, &softmax->max);
        done = is_moderate(&total);
    }
    if (!done) {
        raise_maxima(softmax, block->count, block->logits);
        total = pairs_of_powers(block, &softmax->max);
    }
    add_to_total(softmax, &total);
    PLD_KERNEL(attention_value_product)
    (block->values, block->count, tile->head_size, block->pairs, softmax->started, softmax->sums);
    softmax->started = true;
}

/** The dense keys [begin, end). */
static void add_blocks(attention_way *way, int64_t begin, int64_t end) {
    for (int64_t key = begin; key < end; key += BLOCK_KEYS) {
        begin_block(key, end, &way->block);
        read_keys(way->tile, &way->block);
        read_values(way->tile, &way->block);
        for (int64_t i = 0; i < way->count; i++) {
            add_keys(way->tile, &way->tiles[i], &way->block);
        }
    }
}

/** The logits of sparse keys from `key` on, of the tile whose place in the room is `i`. */
static float *sparse_logits(const attention_way *way, int64_t i, int64_t key) {
    return way->sparse + i * sparse_words(&way->shape) + (key - way->tile->sparse_first) * PLD_TILE;
}

/** The logits of a tile → weights, over the maximum of the sparse keys. */
static void weigh_sparse_keys(const attention_way *way, float *weights, online_softmax *softmax) {
    const pld_attention_tile *tile = way->tile;
    const int64_t rows = sparse_rows(&way->shape);
    for (int64_t i = 0; i < tile->sparse_keys * PLD_TILE; i += PLD_LANES) { /* to exponents of e */
        store(weights + i, load(weights + i) * splat(PLD_LN_2));
    }
    const int64_t copies = tile->zero_keys ? tile->zero_keys - 1 : 0;
    float *last = weights + (rows - 1) * PLD_TILE;
    if (tile->zero_keys) {
        memset(last, 0, PLD_TILE * sizeof *last);
    }
    softmax->max = PLD_KERNEL(tile_maximum)(weights, rows, softmax->max);
    PLD_KERNEL(tile_pladis)
    (weights, joint_spare_keys(rows) ? way->spare : NULL, rows, copies, tile->lambda, tile->alpha,
     softmax->max);
    for (int64_t v = 0; v < PLD_TILE_VECTORS; v++) {
        softmax->max.at[v] *= splat(PLD_LOG2_E);
        softmax->total.at[v] =
            tile->zero_keys ? splat((float)tile->zero_keys) * load(last + v * PLD_LANES) : splat(0);
    }
}

/** weights [block->count][PLD_TILE] → pairs; the total grows by them. */
static void add_weights(const key_block *block, const float *weights, online_softmax *softmax) {
    const ivec ones = splat_pair(0x3f803f80U);
    for (int64_t key = 0; key < block->count; key += 2, weights += 2 * PLD_TILE) {
        for (int64_t v = 0; v < PLD_TILE_VECTORS; v++) {
            const float *at = weights + v * PLD_LANES;
            ivec words = join_pairs(load(at), key + 1 < block->count ? load(at + PLD_TILE) : splat(0));
            memcpy(block->pairs + key / 2 * PLD_TILE + v * PLD_LANES, &words, sizeof words);
            softmax->total.at[v] = add_pairs(softmax->total.at[v], words, ones);
        }
    }
}

/** All keys on which PLADIS acts, for the tiles [first, first + count): logits, weights, values. */
static void add_sparse_keys(attention_way *way, int64_t first, int64_t count) {
    const pld_attention_tile *tile = way->tile;
    const int64_t end = tile->sparse_first + tile->sparse_keys;
    key_block *block = &way->block;
    for (int64_t key = tile->sparse_first; key < end; key += BLOCK_KEYS) {
        begin_block(key, end, block);
        read_keys(tile, block);
        for (int64_t i = 0; i < count; i++) {
            compute_logits(tile, &way->tiles[first + i], block, sparse_logits(way, i, key));
        }
    }
    for (int64_t i = 0; i < count; i++) {
        weigh_sparse_keys(way, sparse_logits(way, i, tile->sparse_first), &way->tiles[first + i].softmax);
    }
    for (int64_t key = tile->sparse_first; key < end; key += BLOCK_KEYS) {
        begin_block(key, end, block);
        read_values(tile, block);
        for (int64_t i = 0; i < count; i++) {
            online_softmax *softmax = &way->tiles[first + i].softmax;
            add_weights(block, sparse_logits(way, i, key), softmax);
            PLD_KERNEL(attention_value_product)
            (block->values, block->count, tile->head_size, block->pairs, softmax->started, softmax->sums);
            softmax->started = true;
        }
    }
}

/** The scaled query in pairs; the sums, not in use yet, hold it on the way. */
static void start_rows(const pld_attention_tile *tile, int64_t row, query_tile *rows) {
    const int64_t count = pld_smaller(tile->queries - row, PLD_TILE);
    const int64_t words = PLD_KERNEL(attention_key_words)(tile->head_size);
    const vec scale = splat(tile->scale * PLD_LOG2_E);
    float *sums = rows->softmax.sums;
    rows_to_tile(tile->query + row * tile->query_stride, tile->query_stride, count, tile->head_size, sums);
    for (int64_t i = 0; i < tile->head_size; i += 2) {
        for (int64_t v = 0; v < PLD_TILE_VECTORS; v++) {
            const float *at = sums + i * PLD_TILE + v * PLD_LANES;
            vec later = i + 1 < tile->head_size ? load(at + PLD_TILE) : (vec){0};
            ivec pairs = join_pairs(load(at) * scale, later * scale);
            memcpy(rows->query + i / 2 * PLD_TILE + v * PLD_LANES, &pairs, sizeof pairs);
        }
    }
    const int64_t own = pld_pair_count(tile->head_size);
    memset(rows->query + own * PLD_TILE, 0, (size_t)((words - own) * PLD_TILE) * sizeof *rows->query);
    start_softmax(&rows->softmax, tile->head_size, tile->sparse_keys ? 0 : tile->zero_keys);
    rows->row = row;
}

/** Lay scratch out and begin all rows. */
static void start_way(attention_way *way, float *scratch) {
    const int head_size = way->tile->head_size;
    const int64_t query_words = PLD_KERNEL(attention_key_words)(head_size) * PLD_TILE;
    float *at = scratch + SCORE_WORDS;
    way->shape = pld_attention_shape_of(way->tile);
    way->count = pld_parts(way->tile->queries, PLD_TILE);
    way->block.logits = scratch;
    way->block.pairs = (uint32_t *)(void *)(scratch + LOGIT_WORDS);
    for (int64_t i = 0; i < way->count; i++, at += tile_words(head_size)) {
        way->tiles[i].query = (uint32_t *)(void *)at;
        way->tiles[i].softmax.sums = at + query_words;
        start_rows(way->tile, i * PLD_TILE, &way->tiles[i]);
    }
    way->block.keys = (uint32_t *)(void *)at;
    way->block.values = way->block.keys + BLOCK_KEYS * PLD_KERNEL(attention_key_words)(head_size);
    memset(way->block.keys, 0, (size_t)block_words(head_size) * sizeof *way->block.keys);
    way->sparse = at + block_words(head_size);
    way->spare = way->sparse + sparse_tiles(&way->shape) * sparse_words(&way->shape);
}

void PLD_KERNEL(attention_bf16_tile)(const pld_attention_tile *tile, float *scratch) {
    attention_way way = {.tile = tile};
    start_way(&way, scratch);
    PLD_KERNEL(attention_products_begin)();
    const int64_t most = sparse_tiles(&way.shape);
    for (int64_t first = 0; most > 0 && first < way.count; first += most) {
        add_sparse_keys(&way, first, pld_smaller(most, way.count - first));
    }
    add_blocks(&way, 0, tile->sparse_first);
    add_blocks(&way, tile->sparse_first + tile->sparse_keys, tile->keys);
    PLD_KERNEL(attention_products_end)();
    for (int64_t i = 0; i < way.count; i++) {
        finish_softmax(&way.tiles[i].softmax, tile, i * PLD_TILE);
    }
}
