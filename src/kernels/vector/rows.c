/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax and PLADIS on tiles of logits, and the rows kernel on top. */
#include "kernels/vector/rows.h"

#include "kernels/table.h"
#include "kernels/vector/entmax.h"
#include "kernels/vector/transpose.h"

tile_row PLD_KERNEL(tile_maximum)(const float *tile, int64_t keys, tile_row so_far) {
    for (int64_t key = 0; key < keys; key++) {
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            so_far.at[v] = larger(load(tile + key * PLD_TILE + v * PLD_LANES), so_far.at[v]);
        }
    }
    return so_far;
}

/* Exponentials go through in groups of at least four vectors. */
enum { PLD_STEP_KEYS = (3 + PLD_TILE_VECTORS) / PLD_TILE_VECTORS };

PLD_INLINE void exponential_of_keys(const int keys, float *tile, const tile_row *max, float stretch,
                                    tile_row *sum) {
    vec x[PLD_STEP_KEYS * PLD_TILE_VECTORS];
    for (int i = 0; i < keys * PLD_TILE_VECTORS; i++) {
        x[i] = (load(tile + i * PLD_LANES) - max->at[i % PLD_TILE_VECTORS]) * splat(stretch);
    }
    exp2_of_each(keys * PLD_TILE_VECTORS, x);
    for (int i = 0; i < keys * PLD_TILE_VECTORS; i++) {
        sum->at[i % PLD_TILE_VECTORS] += x[i];
        store(tile + i * PLD_LANES, x[i]);
    }
}

tile_row PLD_KERNEL(tile_exponential)(float *tile, int64_t keys, tile_row max, float stretch) {
    tile_row sum = {0};
    int64_t key = 0;
    for (; key + PLD_STEP_KEYS <= keys; key += PLD_STEP_KEYS) {
        exponential_of_keys(PLD_STEP_KEYS, tile + key * PLD_TILE, &max, stretch, &sum);
    }
    for (; key < keys; key++) {
        exponential_of_keys(1, tile + key * PLD_TILE, &max, stretch, &sum);
    }
    return sum;
}

/** What turns logits into powers, made of the reference. */
typedef struct power_constants {
    tile_row rounder; /* z + rounder: the nearest integer to z, less the reference, plus the bias */
    tile_row least;   /* logits below give 0 */
} power_constants;

PLD_INLINE void powers_of_keys(const int keys, float *tile, const power_constants *constants, tile_row *sum,
                               tile_row *max) {
    vec fraction[PLD_STEP_KEYS * PLD_TILE_VECTORS];
    vec shifted[PLD_STEP_KEYS * PLD_TILE_VECTORS];
    vec power[PLD_STEP_KEYS * PLD_TILE_VECTORS];
    for (int i = 0; i < keys * PLD_TILE_VECTORS; i++) {
        const int v = i % PLD_TILE_VECTORS;
        vec x = load(tile + i * PLD_LANES);
        max->at[v] = larger(x, max->at[v]);
        x = larger(constants->least.at[v], x);
        shifted[i] = x + constants->rounder.at[v];
        fraction[i] = in_place(x - (shifted[i] - constants->rounder.at[v]));
    }
    exp2_parts_of_each(keys * PLD_TILE_VECTORS, fraction, shifted, power);
    for (int i = 0; i < keys * PLD_TILE_VECTORS; i++) {
        sum->at[i % PLD_TILE_VECTORS] += power[i];
        store(tile + i * PLD_LANES, power[i]);
    }
}

void PLD_KERNEL(tile_powers)(float *tile, int64_t keys, const tile_row *reference, tile_row *sum,
                             tile_row *max) {
    power_constants constants;
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        constants.rounder.at[v] = splat(PLD_ROUNDER) - reference->at[v];
        constants.least.at[v] = reference->at[v] - splat(127);
    }
    tile_row total = *sum;
    tile_row largest = *max;
    int64_t key = 0;
    for (; key + PLD_STEP_KEYS <= keys; key += PLD_STEP_KEYS) {
        powers_of_keys(PLD_STEP_KEYS, tile + key * PLD_TILE, &constants, &total, &largest);
    }
    for (; key < keys; key++) {
        powers_of_keys(1, tile + key * PLD_TILE, &constants, &total, &largest);
    }
    *sum = total;
    *max = largest;
}

/** One key's exp(z − max), which counts 1 + `copies` times, onto `total`, and into `dense` if it is there. */
PLD_INLINE void exponential_of_key(const float *tile, float *dense, const tile_row *max, float copies,
                                   tile_row *total) {
    vec exponential[PLD_TILE_VECTORS];
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        exponential[v] = (load(tile + v * PLD_LANES) - max->at[v]) * splat(PLD_LOG2_E);
    }
    exp2_of_each(PLD_TILE_VECTORS, exponential);
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        total->at[v] += exponential[v];
        if (dense) {
            store(dense + v * PLD_LANES, exponential[v]);
        }
        if (copies > 0) {
            total->at[v] += exponential[v] * splat(copies);
        }
    }
}

/** One key's logits → x = (α−1)(z − max), and onto the sums of the first Newton step, at τ = −1. */
PLD_INLINE void distances_of_key(const entmax_kind kind, const entmax_rule *rule, float *tile,
                                 const tile_row *max, bool copied, entmax_sums *first) {
    vec t[PLD_TILE_VECTORS], power[PLD_TILE_VECTORS];
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        vec x = (load(tile + v * PLD_LANES) - max->at[v]) * splat(rule->alpha - 1);
        t[v] = support_part(x, splat(-1));
        store(tile + v * PLD_LANES, x);
    }
    powers_below(first_kind(kind), rule, PLD_TILE_VECTORS, t, power);
    add_to_sums(1, t, power, first);
    if (copied) {
        add_copies(rule, t, power, first);
    }
}

/* Keys that are prepared at a time, once for either purpose: together their sums and constants are more than
 * there are registers, and so many keys stay in the first-level cache. */
enum { PLD_PREPARED_KEYS = 16 };

/** logits in the tile → x; returns Σ exp(z − max), keeps the exponentials in `dense` if there, and gives the
 * sums of the first Newton step. */
PLD_INLINE tile_row prepare(const entmax_kind kind, const entmax_rule *rule, float *tile, float *dense,
                            int64_t keys, tile_row max, entmax_sums *first) {
    tile_row total = {0};
    *first = (entmax_sums){0};
    for (int64_t begin = 0; begin < keys; begin += PLD_PREPARED_KEYS) {
        const int64_t end = begin + PLD_PREPARED_KEYS < keys ? begin + PLD_PREPARED_KEYS : keys;
        for (int64_t key = begin; key < end; key++) {
            exponential_of_key(tile + key * PLD_TILE, dense ? dense + key * PLD_TILE : NULL, &max,
                               key + 1 == keys ? rule->copies : 0, &total);
        }
        for (int64_t key = begin; key < end; key++) {
            distances_of_key(kind, rule, tile + key * PLD_TILE, &max, rule->copies > 0 && key + 1 == keys,
                             first);
        }
    }
    return total;
}

/** Sparse weights of x of one key. With `kept` powers t^(p−1) at the threshold, they are moved by the step
 * that is due: (t−s)^p = t^(p−1)·(t − p·s) to first order, which a last step is small enough for. */
PLD_INLINE void sparse_weights(const entmax_kind kind, const entmax_rule *rule, const float *x,
                               const float *kept, const entmax_threshold *threshold, vec *weight) {
    if (kept) {
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            vec t = support_part(load(x + v * PLD_LANES), threshold->at.at[v]);
            vec moved = larger(splat(0), t - splat(rule->power) * threshold->due.at[v]);
            weight[v] = load(kept + v * PLD_LANES) * moved;
        }
        return;
    }
    vec t[PLD_TILE_VECTORS];
    tile_row at;
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        at.at[v] = threshold->at.at[v] + threshold->due.at[v];
    }
    group_powers(kind, rule, 1, x, &at, t, weight);
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        weight[v] *= t[v];
    }
}

/** What makes λ·total·entmax of an unnormalised sparse weight: 0 for a row without a live key. */
PLD_INLINE tile_row sparse_factor(float lambda, const tile_row *total, const tile_row *sum) {
    tile_row factor;
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        vec share = splat(lambda) * total->at[v] / sum->at[v];
        factor.at[v] = select_lanes(sum->at[v] == splat(0), splat(0), share);
    }
    return factor;
}

/** x in the tile → (1−λ)·exponential + λ·total·sparse, with exponentials and powers from `dense` and `kept`
 * where there was room for them, and computed again where not. */
PLD_INLINE void mix(const entmax_kind kind, const entmax_rule *rule, float *tile, const float *dense,
                    const float *kept, int64_t keys, float lambda, const entmax_threshold *threshold,
                    const tile_row *total) {
    tile_row sum = {0};
    vec weight[PLD_TILE_VECTORS];
    for (int64_t key = 0; key < keys; key++) {
        float *x = tile + key * PLD_TILE;
        sparse_weights(kind, rule, x, kept ? kept + key * PLD_TILE : NULL, threshold, weight);
        const bool copied = rule->copies > 0 && key + 1 == keys;
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            sum.at[v] += copied ? weight[v] * splat(1 + rule->copies) : weight[v];
            if (dense) { /* x is not needed for the exponentials */
                store(x + v * PLD_LANES, weight[v]);
            }
        }
    }
    tile_row factor = sparse_factor(lambda, total, &sum);
    vec stretch = splat(PLD_LOG2_E / (rule->alpha - 1));
    for (int64_t key = 0; key < keys; key++) {
        float *x = tile + key * PLD_TILE;
        if (!dense) {
            sparse_weights(kind, rule, x, NULL, threshold, weight);
        }
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            vec sparse = dense ? load(x + v * PLD_LANES) : weight[v];
            vec exponential = dense ? load(dense + key * PLD_TILE + v * PLD_LANES)
                                    : exp2_of(load(x + v * PLD_LANES) * stretch);
            store(x + v * PLD_LANES, splat(1 - lambda) * exponential + factor.at[v] * sparse);
        }
    }
}

PLD_INLINE tile_row pladis_of_kind(const entmax_kind kind, const entmax_rule *rule, float *tile, float *dense,
                                   int64_t keys, float lambda, tile_row max) {
    float *kept = dense && kind == PLD_POWER_ANY ? dense + keys * PLD_TILE : NULL;
    entmax_sums first;
    tile_row total = prepare(kind, rule, tile, dense, keys, max, &first);
    entmax_threshold threshold = find_threshold(kind, rule, tile, keys, first, kept);
    mix(kind, rule, tile, dense, kept, keys, lambda, &threshold, &total);
    return total;
}

tile_row PLD_KERNEL(tile_pladis)(float *tile, float *spare, int64_t keys, int64_t copies, float lambda,
                                 float alpha, tile_row max) {
    entmax_rule rule = make_entmax_rule(alpha, copies);
    switch (rule.kind) {
    case PLD_POWER_ROUGH: /* never a rule of its own */
#define PLD_POWER_CASE(kind)                                                                                 \
    case kind:                                                                                               \
        return spare ? pladis_of_kind(kind, &rule, tile, spare, keys, lambda, max)                           \
                     : pladis_of_kind(kind, &rule, tile, NULL, keys, lambda, max);
        PLD_POWER_CASE(PLD_POWER_ANY)
        PLD_POWER_CASE(PLD_POWER_1)
        PLD_POWER_CASE(PLD_POWER_2)
        PLD_POWER_CASE(PLD_POWER_3)
        PLD_POWER_CASE(PLD_POWER_4)
#undef PLD_POWER_CASE
    }
    return max; /* not reached: every kind is above */
}

/** Dead keys of the rows of a tile get PLD_DEAD_LOGIT. */
static void mask_tile(float *tile, int64_t rows, int64_t keys, const uint8_t *mask, int64_t mask_stride) {
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t key = 0; key < keys; key++) {
            if (!mask[row * mask_stride + key]) {
                tile[key * PLD_TILE + row] = PLD_DEAD_LOGIT;
            }
        }
    }
}

size_t PLD_KERNEL(rows_scratch)(int64_t keys) {
    return (size_t)(keys + spare_keys(keys)) * PLD_TILE;
}

void PLD_KERNEL(attention_rows)(const float *logits, int64_t rows, int64_t keys, const uint8_t *mask,
                                int64_t mask_stride, float lambda, float alpha, float *weights,
                                float *scratch) {
    float *spare = spare_keys(keys) ? scratch + keys * PLD_TILE : NULL;
    tile_row floor;
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        floor.at[v] = splat(PLD_MAXIMUM_FLOOR);
    }
    for (int64_t row = 0; row < rows; row += PLD_TILE) {
        int64_t count = rows - row < PLD_TILE ? rows - row : PLD_TILE;
        rows_to_tile(logits + row * keys, keys, count, keys, scratch);
        if (mask) {
            mask_tile(scratch, count, keys, mask + row * mask_stride, mask_stride);
        }
        tile_row max = PLD_KERNEL(tile_maximum)(scratch, keys, floor);
        tile_row total = lambda == 0 ? PLD_KERNEL(tile_exponential)(scratch, keys, max, PLD_LOG2_E)
                                     : PLD_KERNEL(tile_pladis)(scratch, spare, keys, 0, lambda, alpha, max);
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            vec inverse = select_lanes(total.at[v] == splat(0), splat(0), splat(1) / total.at[v]);
            for (int64_t key = 0; key < keys; key++) {
                float *at = scratch + key * PLD_TILE + v * PLD_LANES;
                store(at, load(at) * inverse);
            }
        }
        tile_to_rows(scratch, count, keys, weights + row * keys, keys);
    }
}
