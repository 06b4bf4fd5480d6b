/* SPDX-License-Identifier: Apache-2.0 */
/** What stands between the product of query and key and its logit: the cap, a bias, and what a query does not
 * see. Logits are [keys][PLD_TILE], one query row to a lane. */
#ifndef PLD_KERNELS_VECTOR_LOGITS_H
#define PLD_KERNELS_VECTOR_LOGITS_H

#include "kernels/vector/functions.h"
#include "kernels/vector/rows.h"
#include "kernels/vector/transpose.h"

/** Logits of the keys [begin, begin + count) and the query rows from `row` of the tile on, as exponents of
 * 2^unit or, with unit 1, of e. */
typedef struct logit_block {
    int64_t row, begin, count;
    float unit; /* 1, or log2(e) */
    float *logits;
} logit_block;

/** soft_cap·tanh(z / soft_cap) (Gemma 2, Gemma Team 2024, arXiv 2408.00118). */
static void cap_logits(const pld_attention_tile *tile, const logit_block *block) {
    const vec cap = splat(block->unit * tile->soft_cap);
    const vec inverse_cap = splat(1 / (block->unit * tile->soft_cap));
    for (int64_t i = 0; i < block->count * PLD_TILE; i += PLD_LANES) {
        store(block->logits + i, cap * tanh_of(load(block->logits + i) * inverse_cap));
    }
}

/** z + bias, some keys at a time, whose biases are turned over on the way. */
static void add_bias(const pld_attention_tile *tile, const logit_block *block) {
    enum { KEYS = PLD_EDGE };
    float turned[KEYS * PLD_TILE];
    const vec factor = splat(block->unit * tile->bias_factor);
    const float *bias = tile->bias + block->row * tile->bias_stride + block->begin;
    const int64_t left = tile->queries - block->row;
    const int64_t rows = left < PLD_TILE ? left : PLD_TILE;
    for (int64_t key = 0; key < block->count; key += KEYS) {
        const int64_t count = block->count - key < KEYS ? block->count - key : KEYS;
        float *logits = block->logits + key * PLD_TILE;
        rows_to_tile(bias + key, tile->bias_stride, rows, count, turned);
        for (int64_t i = 0; i < count * PLD_TILE; i += PLD_LANES) {
            store(logits + i, load(logits + i) + factor * load(turned + i));
        }
    }
}

/** Keys that the mask leaves out do not count. */
static void hide_masked_keys(const pld_attention_tile *tile, const logit_block *block) {
    for (int64_t key = 0; key < block->count; key++) {
        for (int64_t v = 0; v < PLD_TILE_VECTORS && !tile->key_mask[block->begin + key]; v++) {
            store(block->logits + key * PLD_TILE + v * PLD_LANES, splat(PLD_DEAD_LOGIT));
        }
    }
}

/** Causal attention: keys after a row's own, or as many as the window before it, do not count. */
static void hide_unseen_keys(const pld_attention_tile *tile, const logit_block *block) {
    const int64_t own = tile->first_query + block->row; /* of the first lane */
    ivec lane;
    for (int i = 0; i < PLD_LANES; i++) {
        lane[i] = i;
    }
    for (int64_t i = 0; i < block->count; i++) {
        const int64_t ahead = block->begin + i - own; /* lanes below it are before the key */
        const int64_t behind =
            tile->window ? ahead + tile->window : PLD_TILE; /* from it on beyond the window */
        for (int64_t v = 0; v < PLD_TILE_VECTORS && (ahead > 0 || behind < PLD_TILE); v++) {
            float *at = block->logits + i * PLD_TILE + v * PLD_LANES;
            const ivec before = lane < (int32_t)(ahead - v * PLD_LANES);
            const ivec beyond = lane >= (int32_t)(behind - v * PLD_LANES);
            store(at, select_lanes(before | beyond, splat(PLD_DEAD_LOGIT), load(at)));
        }
    }
}

/** Products unit·scale·q·k → unit times the logits. */
static void finish_logits(const pld_attention_tile *tile, const logit_block *block) {
    if (tile->soft_cap > 0) {
        cap_logits(tile, block);
    }
    if (tile->bias) {
        add_bias(tile, block);
    }
    if (tile->key_mask) {
        hide_masked_keys(tile, block);
    }
    if (tile->causal) {
        hide_unseen_keys(tile, block);
    }
}

#endif
