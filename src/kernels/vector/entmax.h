/* SPDX-License-Identifier: Apache-2.0 */
/** α-entmax of a tile of logits, one query row to a lane (Peters, Niculae & Martins 2019, arXiv 1905.05702):
 *  weights [x−τ]₊^p with x = (α−1)(z − max), p = 1/(α−1), and τ in [−1, 0) such that they add up to 1.
 *
 *  With N(τ) the p-norm of [x−τ]₊, Newton on N = 1 takes τ += (N−1)·N^(p−1) / Σ[x−τ]₊^(p−1). N is convex, so
 * the steps rise from τ = −1 to the root without bracket or sorting. Exponents 1 to 4 (α = 2, 1.5, 4/3, 1.25)
 * need products only; others one logarithm and one exponential an element. */
#ifndef PLD_KERNELS_VECTOR_ENTMAX_H
#define PLD_KERNELS_VECTOR_ENTMAX_H

#include "kernels/vector/functions.h"
#include "kernels/vector/rows.h"

/** How t^(p−1) is computed. */
typedef enum entmax_kind {
    PLD_POWER_ROUGH = -1, /* of PLD_POWER_ANY, within a few percent */
    PLD_POWER_ANY = 0,
    PLD_POWER_1 = 1,
    PLD_POWER_2 = 2,
    PLD_POWER_3 = 3,
    PLD_POWER_4 = 4,
} entmax_kind;

typedef struct entmax_rule {
    entmax_kind kind;
    float alpha, power;
    float tolerance; /* a step this small is a row's last one */
    float rough[3];  /* coefficients of the parabola */
    float rough_tolerance;
} entmax_rule;

/** Σ[x−τ]₊^p and Σ[x−τ]₊^(p−1). */
typedef struct entmax_sums {
    tile_row total, slope;
} entmax_sums;

/** The parabola through t^fraction at t = 0.05, 0.3 and 1. */
PLD_INLINE void fit_parabola(double fraction, float coefficients[3]) {
    double a = 0.05, b = 0.3, c = 1;
    double at_a = pow(a, fraction), slope = (pow(b, fraction) - at_a) / (b - a);
    double bend = ((1 - pow(b, fraction)) / (c - b) - slope) / (c - a);
    coefficients[0] = (float)(at_a - slope * a + bend * a * b);
    coefficients[1] = (float)(slope - bend * (a + b));
    coefficients[2] = (float)bend;
}

PLD_INLINE entmax_rule make_entmax_rule(float alpha) {
    double power = 1 / ((double)alpha - 1);
    double whole = floor(power + 0.5);
    bool small = whole <= 4 && fabs(power - whole) < 1e-6 * whole;
    /* After a step of size s the error is about s² for p >= 2, in units of 1/p; below, the p-th power of
     * [x−τ]₊ bends at the border of the support and the error is about s^p. */
    double tolerance = power >= 2 ? 4e-4 / power : pow(3e-7, 1 / power);
    entmax_rule rule = {
        .kind = small ? (entmax_kind)whole : PLD_POWER_ANY,
        .alpha = alpha,
        .power = (float)power,
        .tolerance = (float)tolerance,
        .rough_tolerance = (float)(0.02 / power),
    };
    fit_parabola(power - floor(power), rule.rough);
    return rule;
}

/** base^(p−1) for base >= 0, and 0 for base = 0 also at p = 1; for NaN anything. */
PLD_INLINE vec power_below(const entmax_kind kind, const entmax_rule *rule, vec base) {
    switch (kind) {
    case PLD_POWER_1:
        return select_lanes(base > splat(0), splat(1), splat(0));
    case PLD_POWER_2:
        return base;
    case PLD_POWER_3:
        return base * base;
    case PLD_POWER_4:
        return base * base * base;
    case PLD_POWER_ROUGH: {
        vec power = (splat(rule->rough[2]) * base + splat(rule->rough[1])) * base + splat(rule->rough[0]);
        vec square = base;
        for (int bits = (int)rule->power - 1; bits; bits >>= 1) {
            power = bits & 1 ? power * square : power;
            square *= square;
        }
        return (vec)((ivec)power & (base > splat(0)));
    }
    case PLD_POWER_ANY:
        break;
    }
    vec power = exp2_of(splat(rule->power - 1) * log2_of(base));
    return (vec)((ivec)power & (base > splat(0)));
}

/** [x−τ]₊; NaN stays. */
PLD_INLINE vec support_part(vec x, vec threshold) {
    return larger(splat(0), x - threshold);
}

PLD_INLINE void add_to_sums(const entmax_kind kind, const entmax_rule *rule, vec base, entmax_sums *sums,
                            int v) {
    vec power = power_below(kind, rule, base);
    sums->total.at[v] += base * power;
    sums->slope.at[v] += power;
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

/** Move the thresholds of the rows that are still active; a row whose step is small is done, so that its
 * result does not depend on its neighbours. Returns whether any is left. */
PLD_INLINE bool advance(const entmax_kind kind, const entmax_rule *rule, float tolerance,
                        const entmax_sums *sums, tile_row *threshold, ivec active[PLD_TILE_VECTORS]) {
    bool more = false;
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        vec step = newton_step(kind, rule, sums->total.at[v], sums->slope.at[v]);
        /* A row without live keys has no sum, a row with NaN no step: both stop here. */
        active[v] &= sums->total.at[v] > splat(0);
        threshold->at[v] += (vec)((ivec)step & active[v]);
        active[v] &= (vec)((ivec)step & 0x7fffffff) > splat(tolerance);
        more = any_lane(active[v]) || more;
    }
    return more;
}

/** Both sums of x in `tile` [keys][PLD_TILE]. */
PLD_INLINE entmax_sums sum_powers(const entmax_kind kind, const entmax_rule *rule, const float *tile,
                                  int64_t keys, tile_row threshold) {
    entmax_sums sums = {0};
    for (int64_t key = 0; key < keys; key++) {
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            vec x = load(tile + key * PLD_TILE + v * PLD_LANES);
            add_to_sums(kind, rule, support_part(x, threshold.at[v]), &sums, v);
        }
    }
    return sums;
}

/* Four steps are usual; the cap is for numbers that never settle. */
enum { PLD_NEWTON_STEPS = 30 };

/** Newton from `threshold`, where the sums are `sums`. */
PLD_INLINE tile_row solve_threshold(const entmax_kind kind, const entmax_rule *rule, float tolerance,
                                    const float *tile, int64_t keys, tile_row threshold, entmax_sums sums) {
    ivec active[PLD_TILE_VECTORS];
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        active[v] = (ivec){0} - 1;
    }
    for (int step = 0; step < PLD_NEWTON_STEPS; step++) {
        if (!advance(kind, rule, tolerance, &sums, &threshold, active)) {
            break;
        }
        sums = sum_powers(kind, rule, tile, keys, threshold);
    }
    return threshold;
}

/** The power that the first steps use. */
PLD_INLINE entmax_kind first_kind(const entmax_kind kind) {
    return kind == PLD_POWER_ANY ? PLD_POWER_ROUGH : kind;
}

/** Thresholds of the rows of `tile` [keys][PLD_TILE] of x; `sums` are those of first_kind at τ = −1. */
PLD_INLINE tile_row entmax_threshold(const entmax_kind kind, const entmax_rule *rule, const float *tile,
                                     int64_t keys, entmax_sums sums) {
    tile_row threshold;
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        threshold.at[v] = splat(-1);
    }
    float tolerance = kind == PLD_POWER_ANY ? rule->rough_tolerance : rule->tolerance;
    threshold = solve_threshold(first_kind(kind), rule, tolerance, tile, keys, threshold, sums);
    if (kind == PLD_POWER_ANY) {
        sums = sum_powers(kind, rule, tile, keys, threshold);
        threshold = solve_threshold(kind, rule, rule->tolerance, tile, keys, threshold, sums);
    }
    return threshold;
}

#endif
