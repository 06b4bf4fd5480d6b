/* SPDX-License-Identifier: Apache-2.0 */
/** t^(p−1) for the thresholds of α-entmax, p = 1/(α−1). */
#ifndef PLD_KERNELS_VECTOR_POWER_H
#define PLD_KERNELS_VECTOR_POWER_H

#include "kernels/vector/functions.h"
#include "kernels/vector/rows.h"

/** How it is computed. */
typedef enum entmax_kind {
    PLD_POWER_ROUGH = -1, /* of PLD_POWER_ANY, within a percent where t counts */
    PLD_POWER_ANY = 0,
    PLD_POWER_1 = 1, /* p is this whole number */
    PLD_POWER_2 = 2,
    PLD_POWER_3 = 3,
    PLD_POWER_4 = 4,
} entmax_kind;

enum { PLD_ROUGH_TERMS = 4 };

typedef struct entmax_rule {
    entmax_kind kind;
    float copies; /* that the last key has beside itself */
    float alpha, power;
    float tolerance;              /* a step this small is a row's last one */
    float rough[PLD_ROUGH_TERMS]; /* coefficients of a cubic in √t near t^(p−⌊p⌋) */
    int rough_whole;              /* ⌊p⌋ */
    float rough_tolerance;
} entmax_rule;

/** The cubic in r = √t through t^fraction = r^(2·fraction) at four points of (0, 1], by divided
 *  differences, expanded to powers of r. In r the power is bent less near 0 than in t, where a cubic is
 *  off by percents. */
PLD_INLINE void fit_rough(double fraction, float coefficients[PLD_ROUGH_TERMS]) {
    static const double nodes[PLD_ROUGH_TERMS] = {0.1414, 0.4472, 0.7746, 0.9899};
    enum { LAST = PLD_ROUGH_TERMS - 1 };
    double newton[PLD_ROUGH_TERMS], expanded[PLD_ROUGH_TERMS] = {0};
    for (int i = 0; i <= LAST; i++) {
        newton[i] = pow(nodes[i], 2 * fraction);
    }
    for (int order = 1; order <= LAST; order++) {
        for (int i = LAST; i >= order; i--) {
            newton[i] = (newton[i] - newton[i - 1]) / (nodes[i] - nodes[i - order]);
        }
    }
    for (int i = LAST; i >= 0; i--) { /* expanded = expanded·(r − nodes[i]) + newton[i] */
        for (int power = LAST; power >= 0; power--) {
            expanded[power] = (power ? expanded[power - 1] : newton[i]) - nodes[i] * expanded[power];
        }
    }
    for (int power = 0; power <= LAST; power++) {
        coefficients[power] = (float)expanded[power];
    }
}

PLD_INLINE entmax_rule make_entmax_rule(float alpha, int64_t copies) {
    double power = 1 / ((double)alpha - 1);
    double whole = floor(power + 0.5);
    bool small = whole <= 4 && fabs(power - whole) < 1e-6 * whole;
    /* After a step of size s the error is about s² for p >= 2, in units of 1/p; below, the p-th power of
     * [x−τ]₊ bends at the border of the support and the error is about s^p. */
    double tolerance = power >= 2 ? 4e-4 / power : pow(whole == 1 && small ? 3e-7 : 1e-6, 1 / power);
    entmax_rule rule = {
        .kind = small ? (entmax_kind)whole : PLD_POWER_ANY,
        .copies = (float)copies,
        .alpha = alpha,
        .power = (float)power,
        .tolerance = (float)tolerance,
        .rough_whole = (int)power,
        .rough_tolerance = (float)(0.02 / power),
    };
    fit_rough(power - floor(power), rule.rough);
    return rule;
}

/** [x−τ]₊; NaN stays. */
PLD_INLINE vec support_part(vec x, vec threshold) {
    return larger(splat(0), x - threshold);
}

/** t^(p−1) of the kinds that need products only, for t >= 0; 0 for t = 0 also at p = 1. NaN may come out as
 * 0: the product with t brings it back. */
PLD_INLINE vec product_power(const entmax_kind kind, const entmax_rule *rule, vec t) {
    if (kind == PLD_POWER_1) {
        return select_lanes(t > splat(0), splat(1), splat(0));
    }
    if (kind != PLD_POWER_ROUGH) {
        return kind == PLD_POWER_2 ? t : kind == PLD_POWER_3 ? t * t : t * t * t;
    }
    vec root = rough_root(t);
    vec power = splat(rule->rough[PLD_ROUGH_TERMS - 1]);
    for (int i = PLD_ROUGH_TERMS - 2; i >= 0; i--) {
        power = power * root + splat(rule->rough[i]);
    }
    vec square = t;
    for (int bits = rule->rough_whole - 1; bits; bits >>= 1) {
        power = bits & 1 ? power * square : power;
        square *= square;
    }
    return (vec)((ivec)power & (t > splat(1e-30F)));
}

/** t^(p−1) of `count` vectors. Logarithms and exponentials take turns in groups: each is a long chain, and
 * the processor sees only so far ahead for others to run beside it. */
PLD_INLINE void powers_below(const entmax_kind kind, const entmax_rule *rule, const int count, const vec *t,
                             vec *power) {
    if (kind != PLD_POWER_ANY) {
        for (int i = 0; i < count; i++) {
            power[i] = product_power(kind, rule, t[i]);
        }
        return;
    }
    for (int i = 0; i < count; i++) {
        power[i] = splat(rule->power - 1) * log2_of(t[i]);
    }
    for (int i = 0; i < count; i++) {
        power[i] = (vec)((ivec)exp2_of(power[i]) & (t[i] > splat(0)));
    }
}

enum { PLD_GROUP_KEYS = 2, PLD_GROUP_VECTORS = PLD_GROUP_KEYS * PLD_TILE_VECTORS };

/** x of `keys` <= PLD_GROUP_KEYS keys → t = [x−τ]₊ and its power. */
PLD_INLINE void group_powers(const entmax_kind kind, const entmax_rule *rule, const int keys, const float *x,
                             const tile_row *threshold, vec *t, vec *power) {
    for (int i = 0; i < keys * PLD_TILE_VECTORS; i++) {
        t[i] = support_part(load(x + i * PLD_LANES), threshold->at[i % PLD_TILE_VECTORS]);
    }
    powers_below(kind, rule, keys * PLD_TILE_VECTORS, t, power);
}

#endif
