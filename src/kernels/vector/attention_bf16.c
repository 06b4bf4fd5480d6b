/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax attention of some query rows of one head with products of bfloat16 operands: attention.c's way,
 * with the rows in the lanes and an online softmax over blocks of keys, where a pair takes the place of a
 * number. Keys and values are rounded for each block of keys; the query tiles that take turns on it share
 * that. */
#include "kernels/vector/attention_products.h"
#include "kernels/vector/online_softmax.h"

/* What shares a block of keys fills the second level, and not more: reading a block costs as much as its way
 * through several tiles. */
enum { MOST_TILES = 32, TILES_WORDS = 200 * 1024 };

/** PLD_TILE query rows on their way through the keys. */
typedef struct query_tile {
    uint32_t *query; /* [key_words][PLD_TILE], scaled: logits are exponents of 2 */
    online_softmax softmax;
} query_tile;

/** A block of keys, rounded, and what becomes of it for one query tile. */
typedef struct key_block {
    uint32_t *keys;   /* [BLOCK_KEYS][key_words] */
    uint32_t *values; /* [value_words] */
    float *logits;    /* [BLOCK_KEYS][PLD_TILE] */
    uint32_t *pairs;  /* [BLOCK_PAIRS][PLD_TILE], the weights in pairs of keys */
    int64_t count;
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
    return tiles < 1 ? 1 : tiles > MOST_TILES ? MOST_TILES : tiles;
}

int64_t PLD_KERNEL(attention_bf16_queries)(int head_size) {
    return tiles_at_once(head_size) * PLD_TILE;
}

/** Scratch, in this order: logits and pairs of weights · query and sums of each tile · keys and values. */
size_t PLD_KERNEL(attention_bf16_scratch)(int head_size) {
    return (size_t)(SCORE_WORDS + tiles_at_once(head_size) * tile_words(head_size) + block_words(head_size));
}

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

/** Round keys and values [begin, begin + block->count). */
static void read_block(const pld_attention_tile *tile, int64_t begin, key_block *block) {
    const int64_t words = PLD_KERNEL(attention_key_words)(tile->head_size);
    for (int64_t key = 0; key < block->count; key++) {
        round_row(tile->key + (begin + key) * tile->key_stride, tile->head_size, block->keys + key * words);
    }
    PLD_KERNEL(attention_round_values)
    (tile->value + begin * tile->value_stride, tile->value_stride, block->count, tile->head_size,
     block->values);
}

static void compute_logits(const pld_attention_tile *tile, const query_tile *rows, int64_t begin,
                           const key_block *block) {
    PLD_KERNEL(attention_key_product)
    (block->keys, block->count, tile->head_size, rows->query, block->logits);
    hide_masked_keys(tile, begin, block->count, block->logits);
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

static void add_keys(const pld_attention_tile *tile, query_tile *rows, int64_t begin,
                     const key_block *block) {
    online_softmax *softmax = &rows->softmax;
    compute_logits(tile, rows, begin, block);
    tile_row total;
    bool done = false;
    if (begin > 0) { /* most blocks need no new maxima */
        total = pairs_of_powers(block, &softmax->max);
        done = is_moderate(&total);
    }
    if (!done) {
        raise_maxima(softmax, block->count, begin == 0, block->logits);
        total = pairs_of_powers(block, &softmax->max);
    }
    add_to_total(softmax, &total);
    PLD_KERNEL(attention_value_product)
    (block->values, block->count, tile->head_size, block->pairs, begin > 0, softmax->sums);
}

/** The scaled query in pairs; the sums, not in use yet, hold it on the way. */
static void start_rows(const pld_attention_tile *tile, int64_t first, query_tile *rows) {
    const int64_t count = tile->queries - first < PLD_TILE ? tile->queries - first : PLD_TILE;
    const int64_t words = PLD_KERNEL(attention_key_words)(tile->head_size);
    const vec scale = splat(tile->scale * PLD_LOG2_E);
    float *sums = rows->softmax.sums;
    rows_to_tile(tile->query + first * tile->query_stride, tile->query_stride, count, tile->head_size, sums);
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
    start_softmax(&rows->softmax, tile->head_size);
}

void PLD_KERNEL(attention_bf16_tile)(const pld_attention_tile *tile, float *scratch) {
    query_tile tiles[MOST_TILES];
    const int64_t count = pld_parts(tile->queries, PLD_TILE);
    const int64_t query_words = PLD_KERNEL(attention_key_words)(tile->head_size) * PLD_TILE;
    key_block block = {.logits = scratch, .pairs = (uint32_t *)(void *)(scratch + LOGIT_WORDS)};
    float *at = scratch + SCORE_WORDS;
    for (int64_t i = 0; i < count; i++, at += tile_words(tile->head_size)) {
        tiles[i].query = (uint32_t *)(void *)at;
        tiles[i].softmax.sums = at + query_words;
        start_rows(tile, i * PLD_TILE, &tiles[i]);
    }
    block.keys = (uint32_t *)(void *)at;
    block.values = block.keys + BLOCK_KEYS * PLD_KERNEL(attention_key_words)(tile->head_size);
    memset(block.keys, 0, (size_t)block_words(tile->head_size) * sizeof *block.keys);
    PLD_KERNEL(attention_products_begin)();
    for (int64_t key = 0; key < tile->keys; key += BLOCK_KEYS) {
        block.count = tile->keys - key < BLOCK_KEYS ? tile->keys - key : BLOCK_KEYS;
        read_block(tile, key, &block);
        for (int64_t i = 0; i < count; i++) {
            add_keys(tile, &tiles[i], key, &block);
        }
    }
    PLD_KERNEL(attention_products_end)();
    for (int64_t i = 0; i < count; i++) {
        finish_softmax(&tiles[i].softmax, tile, i * PLD_TILE);
    }
}
