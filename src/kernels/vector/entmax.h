/* SPDX-License-Identifier: Apache-2.0 */
/** α-entmax of a tile of logits, one query row to a lane (Peters, Niculae & Martins 2019, arXiv 1905.05702):
 * weights [x−τ]₊^p with x = (α−1)(z − max), p = 1/(α−1), and τ in [−1, 0) such that they add up to 1.
 *
 * With N(τ) the p-norm of [x−τ]₊, Newton on N = 1 takes τ += (N−1)·N^(p−1) / Σ[x−τ]₊^(p−1). N is convex, so
 * the steps rise from τ = −1 to the root without bracket or sorting. Exponents 1 to 4 (α = 2, 1.5, 4/3, 1.25)
 * need products only. Others cost a logarithm and an exponential an element, so they first run on a rough
 * power, t^⌊p⌋ times a cubic in √t in place of t^(p−⌊p⌋), which leaves one or two exact steps, and the
 * weights come from the powers of the last step. */
#ifndef PLD_KERNELS_VECTOR_ENTMAX_H
#define PLD_KERNELS_VECTOR_ENTMAX_H

#include "kernels/vector/power.h"

/** Σ[x−τ]₊^p and Σ[x−τ]₊^(p−1). */
typedef struct entmax_sums {
    tile_row total, slope;
} entmax_sums;

/** τ, and the step that is still due. It is not taken in the loop, so that a row that is done gives the same
 *  sums and powers again while its neighbours go on: no row's result depends on another. */
typedef struct entmax_threshold {
    tile_row at, due;
} entmax_threshold;

PLD_INLINE void add_to_sums(const int keys, const vec *base, const vec *power, entmax_sums *sums) {
    for (int i = 0; i < keys * PLD_TILE_VECTORS; i++) {
        sums->total.at[i % PLD_TILE_VECTORS] += base[i] * power[i];
        sums->slope.at[i % PLD_TILE_VECTORS] += power[i];
    }
}

/** The copies of the last key, whose power is given. */
PLD_INLINE void add_copies(const entmax_rule *rule, const vec *base, vec *power, entmax_sums *sums) {
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        power[v] *= splat(rule->copies);
    }
    add_to_sums(1, base, power, sums);
}

/** (N−1)·N^(p−1) / slope with N = total^(1/p). */
PLD_INLINE vec newton_step(const entmax_kind kind, const entmax_rule *rule, vec total, vec slope) {
    if (kind == PLD_POWER_1) {
        return (total - splat(1)) / slope;
    }
    if (kind == PLD_POWER_2) {
        vec norm = square_root(total);
        return (norm - splat(1)) * norm / slope;
    }
    /* N−1 = e^l − 1 by its series, which keeps its digits where N is near 1; cut short it is too small for
     * large l, which only makes a step shorter. */
    vec log_norm = log2_of(total) * splat(1 / rule->power);
    vec l = log_norm * splat(PLD_LN_2);
    vec excess = l * (splat(1) + l * (splat(0.5F) + l * (splat(1.0F / 6) + l * (splat(1.0F / 24)))));
    return excess * total / (exp2_of(log_norm) * slope);
}

/** Move the thresholds of the rows that still take large steps. Returns whether there are any. */
PLD_INLINE bool advance(const entmax_kind kind, const entmax_rule *rule, float tolerance,
                        const entmax_sums *sums, entmax_threshold *threshold) {
    ivec moved = {0};
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        vec step = newton_step(kind, rule, sums->total.at[v], sums->slope.at[v]);
        /* A row without live keys has a sum of 0, a row with NaN none: both stay. */
        ivec counts = sums->total.at[v] > splat(0);
        ivec large = counts & ((vec)((ivec)step & 0x7fffffff) > splat(tolerance));
        threshold->at.at[v] += (vec)((ivec)step & large);
        threshold->due.at[v] = (vec)((ivec)step & counts & ~large);
        moved |= large;
    }
    return any_lane(moved);
}

/** Both sums of x in `tile` [keys][PLD_TILE]; the powers go to `kept` (same shape) when it is there. */
PLD_INLINE entmax_sums sum_powers(const entmax_kind kind, const entmax_rule *rule, const float *tile,
                                  int64_t keys, const tile_row *threshold, float *kept) {
    entmax_sums sums = {0};
    vec base[PLD_GROUP_VECTORS], power[PLD_GROUP_VECTORS];
    int64_t key = 0;
    for (; key + PLD_GROUP_KEYS <= keys; key += PLD_GROUP_KEYS) {
        group_powers(kind, rule, PLD_GROUP_KEYS, tile + key * PLD_TILE, threshold, base, power);
        add_to_sums(PLD_GROUP_KEYS, base, power, &sums);
        for (int i = 0; kept && i < PLD_GROUP_VECTORS; i++) {
            store(kept + key * PLD_TILE + i * PLD_LANES, power[i]);
        }
    }
    for (; key < keys; key++) {
        group_powers(kind, rule, 1, tile + key * PLD_TILE, threshold, base, power);
        add_to_sums(1, base, power, &sums);
        for (int i = 0; kept && i < PLD_TILE_VECTORS; i++) {
            store(kept + key * PLD_TILE + i * PLD_LANES, power[i]);
        }
    }
    if (rule->copies > 0) {
        group_powers(kind, rule, 1, tile + (keys - 1) * PLD_TILE, threshold, base, power);
        add_copies(rule, base, power, &sums);
    }
    return sums;
}

/* Four steps are usual; the cap is for numbers that never settle. */
enum { PLD_NEWTON_STEPS = 30, PLD_ROUGH_STEPS = 6 };

/** Newton from `threshold`, where the sums are `sums`. */
PLD_INLINE void solve_threshold(const entmax_kind kind, const entmax_rule *rule, const float *tile,
                                int64_t keys, entmax_sums sums, float *kept, entmax_threshold *threshold) {
    bool rough = kind == PLD_POWER_ROUGH;
    int steps = rough ? PLD_ROUGH_STEPS : PLD_NEWTON_STEPS;
    for (int step = 0; step < steps; step++) {
        if (!advance(kind, rule, rough ? rule->rough_tolerance : rule->tolerance, &sums, threshold)) {
            break;
        }
        sums = sum_powers(kind, rule, tile, keys, &threshold->at, kept);
    }
}

/** The power that the first steps use. */
PLD_INLINE entmax_kind first_kind(const entmax_kind kind) {
    return kind == PLD_POWER_ANY ? PLD_POWER_ROUGH : kind;
}

/** Thresholds of the rows of `tile` [keys][PLD_TILE] of x; `sums` are those of first_kind at τ = −1.
 *  For PLD_POWER_ANY `kept` (same shape, or NULL) gets the powers at the threshold, without the step
 *  that is due. */
PLD_INLINE entmax_threshold find_threshold(const entmax_kind kind, const entmax_rule *rule, const float *tile,
                                           int64_t keys, entmax_sums sums, float *kept) {
    entmax_threshold threshold = {0};
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        threshold.at.at[v] = splat(-1);
    }
    solve_threshold(first_kind(kind), rule, tile, keys, sums, NULL, &threshold);
    if (kind == PLD_POWER_ANY) {
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            threshold.at.at[v] += threshold.due.at[v];
        }
        sums = sum_powers(kind, rule, tile, keys, &threshold.at, kept);
        solve_threshold(kind, rule, tile, keys, sums, kept, &threshold);
    }
    return threshold;
}

#endif
