/* SPDX-License-Identifier: Apache-2.0 */
/** The running softmax of a tile of query rows over blocks of keys (Milakov & Gimelshein 2018, arXiv
 * 1805.02867; Dao et al. 2022, arXiv 2205.14135). Logits are exponents of 2. */
#ifndef PLD_KERNELS_VECTOR_ONLINE_SOFTMAX_H
#define PLD_KERNELS_VECTOR_ONLINE_SOFTMAX_H

#include "kernels/vector/functions.h"
#include "kernels/vector/rows.h"
#include "kernels/vector/transpose.h"

/* A block is taken with an old maximum when no logit exceeds it by more than this power of two:
 * sums then stay far from the largest float, and what is flushed to 0 is farther below the true
 * maximum than otherwise. */
#define PLD_EXCESS_LIMIT 16

typedef struct online_softmax {
    float *sums; /* [head_size][PLD_TILE], Σ weight·value */
    int head_size;
    bool started;   /* there are sums */
    bool rounded;   /* max consists of integers within ±PLD_REFERENCE_LIMIT */
    tile_row max;   /* what is subtracted from the logits: their maximum, or near it when `rounded` */
    tile_row total; /* Σ of the powers so far */
} online_softmax;

/** No key so far but `zero_keys` whose logits are 0 and whose values are zeros. */
static void start_softmax(online_softmax *rows, int head_size, int64_t zero_keys) {
    rows->head_size = head_size;
    rows->started = rows->rounded = zero_keys > 0;
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        rows->max.at[v] = splat(zero_keys > 0 ? 0 : PLD_MAXIMUM_FLOOR);
        rows->total.at[v] = splat((float)zero_keys);
    }
    if (zero_keys > 0) {
        memset(rows->sums, 0, (size_t)head_size * PLD_TILE * sizeof *rows->sums);
    }
}

/** Bring sums and total to a new maximum; most blocks bring none. */
static void rescale(online_softmax *rows, const tile_row *max) {
    tile_row factor;
    ivec changed = {0};
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        changed |= max->at[v] != rows->max.at[v];
        factor.at[v] = exp2_of(rows->max.at[v] - max->at[v]);
    }
    if (!any_lane(changed)) {
        return; /* every factor is 1 */
    }
    for (int64_t v = 0; v < PLD_TILE_VECTORS; v++) {
        rows->max.at[v] = max->at[v];
        rows->total.at[v] *= factor.at[v];
        for (int64_t i = 0; i < rows->head_size; i++) {
            float *at = rows->sums + i * PLD_TILE + v * PLD_LANES;
            store(at, load(at) * factor.at[v]);
        }
    }
}

/** Maxima → the nearest integers, if all are small enough for tile_powers; returns whether they are. */
static bool round_maxima(tile_row *max) {
    tile_row rounded;
    ivec far = {0};
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        vec magnitude = (vec)((ivec)max->at[v] & 0x7fffffff);
        far |= ~(magnitude < splat(PLD_REFERENCE_LIMIT));
        rounded.at[v] = (max->at[v] + splat(PLD_ROUNDER)) - splat(PLD_ROUNDER);
    }
    if (any_lane(far)) {
        return false;
    }
    *max = rounded;
    return true;
}

/** Raise the maxima to those of the logits. */
static void raise_maxima(online_softmax *rows, int64_t keys, const float *logits) {
    tile_row max = PLD_KERNEL(tile_maximum)(logits, keys, rows->max);
    rows->rounded = round_maxima(&max);
    if (rows->started) {
        rescale(rows, &max);
    } else {
        rows->max = max;
    }
}

static void add_to_total(online_softmax *rows, const tile_row *total) {
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        rows->total.at[v] += total->at[v];
    }
}

/** Sums to averages, rows without a key that counts to 0; they are the rows of the output from `first` on. */
static void finish_softmax(online_softmax *rows, const pld_attention_tile *tile, int64_t first) {
    const int64_t count = tile->queries - first < PLD_TILE ? tile->queries - first : PLD_TILE;
    for (int64_t v = 0; v < PLD_TILE_VECTORS; v++) {
        vec inverse = select_lanes(rows->total.at[v] == splat(0), splat(0), splat(1) / rows->total.at[v]);
        for (int64_t i = 0; i < rows->head_size; i++) {
            float *at = rows->sums + i * PLD_TILE + v * PLD_LANES;
            store(at, load(at) * inverse);
        }
    }
    tile_to_rows(rows->sums, count, tile->head_size, tile->out + first * tile->out_stride, tile->out_stride);
}

#endif
