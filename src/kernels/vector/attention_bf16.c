/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax attention of some query rows of one head with products of bfloat16 operands: attention.c's way,
 * with the rows in the lanes and an online softmax over blocks of keys, where a pair takes the place of a
 * number. Keys and values are rounded for each block of keys; the query tiles that take turns on it share
 * that. */
#include "kernels/table.h"
#include "kernels/vector/functions.h"
#include "kernels/vector/pairs.h"
#include "kernels/vector/rows.h"
#include "kernels/vector/transpose.h"

/* Accumulators, right operand and broadcast: 8·2 + 2 + 1 of 32 registers; taken apart, with AVX2, 2·3 + 6 + 2
 * of 16. */
#if PLD_VECTOR_BYTES == 64
enum { BLOCK_ROWS = 8 };
#define PAIR_RESTS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#else
enum { BLOCK_ROWS = 2 };
#define PAIR_RESTS(X) X(1)
#endif

enum { BLOCK_KEYS = 64, BLOCK_PAIRS = BLOCK_KEYS / 2, MOST_TILES = 8, TILES_WORDS = 24 * 1024 };

/** PLD_TILE query rows on their way through the keys. */
typedef struct query_tile {
    uint32_t *query; /* [pairs of head_size][PLD_TILE], scaled */
    float *sums;     /* [head_size][PLD_TILE], Σ weight·value */
    tile_row max;    /* largest logit so far */
    tile_row total;  /* Σ exp(z − max) so far */
} query_tile;

/** A block of keys, rounded, and what becomes of it for one query tile. */
typedef struct key_block {
    uint32_t *keys;   /* [BLOCK_KEYS][pairs of head_size] */
    uint32_t *values; /* [BLOCK_PAIRS][head_size], pairs of keys */
    float *weights;   /* [BLOCK_KEYS][PLD_TILE] */
    uint32_t *pairs;  /* [BLOCK_PAIRS][PLD_TILE], the weights in pairs of keys */
    int64_t count;
} key_block;

static int64_t pairs_of(int64_t count) {
    return (count + 1) / 2;
}

static int64_t tile_words(int head_size) {
    return (pairs_of(head_size) + head_size) * PLD_TILE;
}

static int64_t tiles_at_once(int head_size) {
    const int64_t tiles = TILES_WORDS / tile_words(head_size);
    return tiles < 1 ? 1 : tiles > MOST_TILES ? MOST_TILES : tiles;
}

int64_t PLD_KERNEL(attention_bf16_queries)(int head_size) {
    return tiles_at_once(head_size) * PLD_TILE;
}

/** Scratch, in this order: weights and their pairs · query and sums of each tile · keys and values. */
size_t PLD_KERNEL(attention_bf16_scratch)(int head_size) {
    return (size_t)((BLOCK_KEYS + BLOCK_PAIRS) * PLD_TILE + tiles_at_once(head_size) * tile_words(head_size) +
                    BLOCK_KEYS * pairs_of(head_size) + BLOCK_PAIRS * head_size);
}

PLD_INLINE void block_product(const int rows, const uint32_t *a, int64_t a_row, int64_t a_step, int64_t pairs,
                              const uint32_t *b, bool accumulate, float *c) {
    vec sums[BLOCK_ROWS][PLD_TILE_VECTORS];
    for (int m = 0; m < rows; m++) {
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            sums[m][v] = (vec){0};
        }
    }
    for (int64_t k = 0; k < pairs; k++) {
        ivec right[PLD_TILE_VECTORS];
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            right[v] = load_pairs(b + k * PLD_TILE + v * PLD_LANES);
        }
        for (int m = 0; m < rows; m++) {
            ivec left = splat_pair(a[m * a_row + k * a_step]);
            for (int v = 0; v < PLD_TILE_VECTORS; v++) {
                sums[m][v] = add_pairs(sums[m][v], right[v], left);
            }
        }
    }
    for (int m = 0; m < rows; m++) {
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            float *at = c + m * PLD_TILE + v * PLD_LANES;
            store(at, accumulate ? load(at) + sums[m][v] : sums[m][v]);
        }
    }
}

/** c [rows, PLD_TILE] = a·b, or c + a·b; a(m, k) = a[m·a_row + k·a_step], b [pairs][PLD_TILE]. */
static void product_of_pairs(const uint32_t *a, int64_t rows, int64_t a_row, int64_t a_step, int64_t pairs,
                             const uint32_t *b, bool accumulate, float *c) {
    int64_t m = 0;
    for (; m + BLOCK_ROWS <= rows; m += BLOCK_ROWS) {
        block_product(BLOCK_ROWS, a + m * a_row, a_row, a_step, pairs, b, accumulate, c + m * PLD_TILE);
    }
    a += m * a_row;
    c += m * PLD_TILE;
    switch (rows - m) {
#define PAIR_REST(count)                                                                                     \
    case count:                                                                                              \
        block_product(count, a, a_row, a_step, pairs, b, accumulate, c);                                     \
        break;
        PAIR_RESTS(PAIR_REST)
#undef PAIR_REST
    default:
        break;
    }
}

/** One row [count] → pairs [pairs_of(count)]. The last vector may overlap the one before it. */
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

/** Two rows [count] → words [count], each a pair of their numbers; `later` NULL: zeros. */
static void join_rows(const float *earlier, const float *later, int64_t count, uint32_t *to) {
    const vec zero = {0};
    if (count < PLD_LANES) {
        vec second = later ? load_part(later, (size_t)count) : zero;
        ivec words = join_pairs(load_part(earlier, (size_t)count), second);
        memcpy(to, &words, (size_t)count * sizeof *to);
        return;
    }
    for (int64_t i = 0; i < count; i += PLD_LANES) {
        const int64_t at = i + PLD_LANES <= count ? i : count - PLD_LANES;
        ivec words = join_pairs(load(earlier + at), later ? load(later + at) : zero);
        memcpy(to + at, &words, sizeof words);
    }
}

/** Round keys and values [begin, begin + block->count). */
static void read_block(const pld_attention_tile *tile, int64_t begin, key_block *block) {
    const int64_t pairs = pairs_of(tile->head_size);
    for (int64_t key = 0; key < block->count; key++) {
        round_row(tile->key + (begin + key) * tile->key_stride, tile->head_size, block->keys + key * pairs);
    }
    for (int64_t key = 0; key < block->count; key += 2) {
        const float *value = tile->value + (begin + key) * tile->value_stride;
        join_rows(value, key + 1 < block->count ? value + tile->value_stride : NULL, tile->head_size,
                  block->values + key / 2 * tile->head_size);
    }
}

static void compute_logits(const pld_attention_tile *tile, const query_tile *rows, int64_t begin,
                           const key_block *block) {
    const int64_t pairs = pairs_of(tile->head_size);
    product_of_pairs(block->keys, block->count, pairs, 1, pairs, rows->query, false, block->weights);
    for (int64_t key = 0; tile->key_mask && key < block->count; key++) {
        for (int v = 0; v < PLD_TILE_VECTORS && !tile->key_mask[begin + key]; v++) {
            store(block->weights + key * PLD_TILE + v * PLD_LANES, splat(PLD_DEAD_LOGIT));
        }
    }
}

/** Bring sums and total to a new maximum; most blocks bring none. */
static void rescale(query_tile *rows, const tile_row *max, int head_size) {
    ivec changed = {0};
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        changed |= max->at[v] > rows->max.at[v];
    }
    if (!any_lane(changed)) {
        return; /* every factor is 1 */
    }
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        vec factor = exp2_of((rows->max.at[v] - max->at[v]) * splat(PLD_LOG2_E));
        rows->max.at[v] = max->at[v];
        rows->total.at[v] *= factor;
        for (int i = 0; i < head_size; i++) {
            float *at = rows->sums + i * PLD_TILE + v * PLD_LANES;
            store(at, load(at) * factor);
        }
    }
}

static void add_values(const pld_attention_tile *tile, query_tile *rows, const key_block *block, bool first) {
    for (int64_t key = 0; key < block->count; key += 2) {
        const float *weight = block->weights + key * PLD_TILE;
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            const float *later = weight + PLD_TILE + v * PLD_LANES;
            ivec words =
                join_pairs(load(weight + v * PLD_LANES), key + 1 < block->count ? load(later) : (vec){0});
            memcpy(block->pairs + key / 2 * PLD_TILE + v * PLD_LANES, &words, sizeof words);
        }
    }
    product_of_pairs(block->values, tile->head_size, 1, tile->head_size, pairs_of(block->count), block->pairs,
                     !first, rows->sums);
}

static void add_keys(const pld_attention_tile *tile, query_tile *rows, int64_t begin,
                     const key_block *block) {
    compute_logits(tile, rows, begin, block);
    tile_row max = PLD_KERNEL(tile_maximum)(block->weights, block->count, rows->max);
    const bool first = begin == 0;
    if (first) {
        rows->max = max;
    } else {
        rescale(rows, &max, tile->head_size);
    }
    tile_row total = PLD_KERNEL(tile_exponential)(block->weights, block->count, max, PLD_LOG2_E);
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        rows->total.at[v] += total.at[v];
    }
    add_values(tile, rows, block, first);
}

/** The scaled query in pairs; the sums, not in use yet, hold it on the way. */
static void start_rows(const pld_attention_tile *tile, int64_t first, query_tile *rows) {
    const int64_t count = tile->queries - first < PLD_TILE ? tile->queries - first : PLD_TILE;
    rows_to_tile(tile->query + first * tile->query_stride, tile->query_stride, count, tile->head_size,
                 rows->sums);
    for (int64_t i = 0; i < tile->head_size; i += 2) {
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            const float *at = rows->sums + i * PLD_TILE + v * PLD_LANES;
            vec later = i + 1 < tile->head_size ? load(at + PLD_TILE) : (vec){0};
            ivec words = join_pairs(load(at) * splat(tile->scale), later * splat(tile->scale));
            memcpy(rows->query + i / 2 * PLD_TILE + v * PLD_LANES, &words, sizeof words);
        }
    }
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        rows->max.at[v] = splat(PLD_MAXIMUM_FLOOR);
        rows->total.at[v] = splat(0);
    }
}

static void finish_rows(const pld_attention_tile *tile, int64_t first, query_tile *rows) {
    const int64_t count = tile->queries - first < PLD_TILE ? tile->queries - first : PLD_TILE;
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        vec inverse = select_lanes(rows->total.at[v] == splat(0), splat(0), splat(1) / rows->total.at[v]);
        for (int i = 0; i < tile->head_size; i++) {
            float *at = rows->sums + i * PLD_TILE + v * PLD_LANES;
            store(at, load(at) * inverse);
        }
    }
    tile_to_rows(rows->sums, count, tile->head_size, tile->out + first * tile->out_stride, tile->out_stride);
}

void PLD_KERNEL(attention_bf16_tile)(const pld_attention_tile *tile, float *scratch) {
    query_tile tiles[MOST_TILES];
    const int64_t count = (tile->queries + PLD_TILE - 1) / PLD_TILE;
    const int64_t query_words = pairs_of(tile->head_size) * PLD_TILE;
    key_block block = {.weights = scratch, .pairs = (uint32_t *)(void *)(scratch + BLOCK_KEYS * PLD_TILE)};
    float *at = scratch + (BLOCK_KEYS + BLOCK_PAIRS) * PLD_TILE;
    for (int64_t i = 0; i < count; i++, at += tile_words(tile->head_size)) {
        tiles[i].query = (uint32_t *)(void *)at;
        tiles[i].sums = at + query_words;
        start_rows(tile, i * PLD_TILE, &tiles[i]);
    }
    block.keys = (uint32_t *)(void *)at;
    block.values = block.keys + BLOCK_KEYS * pairs_of(tile->head_size);
    for (int64_t key = 0; key < tile->keys; key += BLOCK_KEYS) {
        block.count = tile->keys - key < BLOCK_KEYS ? tile->keys - key : BLOCK_KEYS;
        read_block(tile, key, &block);
        for (int64_t i = 0; i < count; i++) {
            add_keys(tile, &tiles[i], key, &block);
        }
    }
    for (int64_t i = 0; i < count; i++) {
        finish_rows(tile, i * PLD_TILE, &tiles[i]);
    }
}
