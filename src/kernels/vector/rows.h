/* SPDX-License-Identifier: Apache-2.0 */
/** Tiles of logits to tiles of weights: softmax, α-entmax and their mix, one query row to a lane. */
#ifndef PLD_KERNELS_VECTOR_ROWS_H
#define PLD_KERNELS_VECTOR_ROWS_H

#include "kernels/table.h"
#include "kernels/vector/product.h"

/* A dead key's logit, and a floor for the maximum above it: their difference is finite and its exponential is
 * 0, so that a row of dead keys gives a sum of exactly 0. Live logits are assumed above the floor. */
#define PLD_DEAD_LOGIT    -1e30F
#define PLD_MAXIMUM_FLOOR -5e29F

/** One number for each query row of a tile. */
typedef struct tile_row {
    vec at[PLD_TILE_VECTORS];
} tile_row;

/** Largest logit of `tile` [keys][PLD_TILE] or of `so_far`. */
tile_row PLD_KERNEL(tile_maximum)(const float *tile, int64_t keys, tile_row so_far);

/** logits `tile` → 2^(stretch·(z − max)) in place; returns the sums over the keys. */
tile_row PLD_KERNEL(tile_exponential)(float *tile, int64_t keys, tile_row max, float stretch);

/* Integers as references make for a shorter exponential, as long as floats near them resolve a fraction. */
#define PLD_REFERENCE_LIMIT 1e6F

/** logits `tile` → 2^(z − reference) in place, in one pass: adds them to `sum`, and raises `max` to the
 * largest logit. `reference`: integers within ±PLD_REFERENCE_LIMIT. Where the maximum exceeds it by more than
 * 126 the powers mean nothing. */
void PLD_KERNEL(tile_powers)(float *tile, int64_t keys, const tile_row *reference, tile_row *sum,
                             tile_row *max);

/** logits `tile` → (1−λ)·exp(z − max) + λ·total·entmax(z), total = Σ exp(z − max), in place; returns total.
 *  The last key counts as 1 + `copies` of it, each of which has the weight that stands there. `max` must be
 * the maximum of the tile. `spare` [2·keys][PLD_TILE], or NULL. */
tile_row PLD_KERNEL(tile_pladis)(float *tile, float *spare, int64_t keys, int64_t copies, float lambda,
                                 float alpha, tile_row max);

/** Room, in rows of a tile, that tile_pladis wants beside the tile: for exponentials and powers. Above 320
 * keys it computes them again instead, which bounds the scratch memory. */
static inline int64_t spare_keys(int64_t keys) {
    return keys <= 320 ? 2 * keys : 0;
}

/** The same where other keys follow, beside which it counts: up to 1024. */
static inline int64_t joint_spare_keys(int64_t keys) {
    return keys <= 1024 ? 2 * keys : 0;
}

#endif
