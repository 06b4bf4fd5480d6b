/* SPDX-License-Identifier: Apache-2.0 */
/** Exponential, logarithm and Gaussian integral on vectors. Polynomials are minimax (Remez, relative error);
 * the errors stated are theirs, before the roundings of float32. */
#ifndef PLD_KERNELS_VECTOR_FUNCTIONS_H
#define PLD_KERNELS_VECTOR_FUNCTIONS_H

#include "kernels/vector/vector.h"

#define PLD_LOG2_E 1.44269504088896340736F
#define PLD_LN_2   0.69314718055994530942F

/* Adding and subtracting it rounds a float of at most 2^21 to the nearest integer; the low bits of the sum
 * are that integer plus the bias of a float's exponent. */
#define PLD_ROUNDER 12583039.0F

/* Coefficients of a polynomial near 2^x on [−½, ½], relative error 1.9e-9. */
#define PLD_EXP2_1 0.6931472057F
#define PLD_EXP2_2 0.2402264689F
#define PLD_EXP2_3 5.550328777e-2F
#define PLD_EXP2_4 9.618488956e-3F
#define PLD_EXP2_5 1.339993118e-3F
#define PLD_EXP2_6 1.534581216e-4F

/** 2^fraction · 2^whole, fraction in [−½, ½], where `shifted` = whole + PLD_ROUNDER; whole = −127 gives 0. */
PLD_INLINE vec exp2_parts(vec fraction, vec shifted) {
    vec square = fraction * fraction;
    vec low = splat(PLD_EXP2_1) * fraction + splat(1.0F);
    vec middle = splat(PLD_EXP2_3) * fraction + splat(PLD_EXP2_2);
    vec high = splat(PLD_EXP2_5) * fraction + splat(PLD_EXP2_4);
    high = splat(PLD_EXP2_6) * square + high;
    vec p = (high * square + middle) * square + low;
    return p * (vec)((ivec)shifted << 23);
}

/** exp2_parts of `count` vectors in step, power [count]. The chain of one is long, and a processor sees only
 * a few dozen operations ahead for others to run beside it. */
PLD_INLINE void exp2_parts_of_each(const int count, const vec *fraction, const vec *shifted, vec *power) {
    const float rest[] = {PLD_EXP2_4, PLD_EXP2_3, PLD_EXP2_2, PLD_EXP2_1, 1.0F};
    for (int i = 0; i < count; i++) {
        power[i] = in_place(splat(PLD_EXP2_6) * fraction[i] + splat(PLD_EXP2_5));
    }
    for (int k = 0; k < 5; k++) {
        for (int i = 0; i < count; i++) {
            power[i] = in_place(power[i] * fraction[i] + splat(rest[k]));
        }
    }
    for (int i = 0; i < count; i++) {
        power[i] *= (vec)((ivec)shifted[i] << 23);
    }
}

/** 2^x for x <= 127.49; 0 below −126.5; NaN stays. Below 1.5 units in the last place for |x| < 1, then the
 *  rounding of x itself. */
PLD_INLINE vec exp2_of(vec x) {
    x = larger(splat(-127.0F), x);
    vec shifted = x + splat(PLD_ROUNDER);
    return exp2_parts(x - (shifted - splat(PLD_ROUNDER)), shifted);
}

/** exp2_of the `count` <= PLD_MOST_IN_STEP vectors of x, in place. */
enum { PLD_MOST_IN_STEP = 8 };
PLD_INLINE void exp2_of_each(const int count, vec *x) {
    vec fraction[PLD_MOST_IN_STEP];
    vec shifted[PLD_MOST_IN_STEP];
    for (int i = 0; i < count; i++) {
        vec from = larger(splat(-127.0F), x[i]);
        shifted[i] = from + splat(PLD_ROUNDER);
        fraction[i] = in_place(from - (shifted[i] - splat(PLD_ROUNDER)));
    }
    exp2_parts_of_each(count, fraction, shifted, x);
}

/* Coefficients of a polynomial near 2^x on [−½, ½], relative error 7.5e-5. */
#define PLD_ROUGH_EXP2_0 0.99992807F
#define PLD_ROUGH_EXP2_1 0.69326099F
#define PLD_ROUGH_EXP2_2 0.24261112F
#define PLD_ROUGH_EXP2_3 0.05517167F

/** 2^x within 7.5e-5 of itself, for what is rounded to bfloat16 afterwards (2e-3). Above 127 any number from
 * 2^127 on, or infinity; below −126 it may be 0; NaN stays. */
PLD_INLINE vec rough_exp2_of(vec x) {
#if defined(__AVX512DQ__) && PLD_VECTOR_BYTES == 64
    vec fraction = (vec)_mm512_reduce_ps((__m512)x, 0);
    vec whole = x - fraction;
#else
    x = -larger(splat(-127.0F), -larger(splat(-127.0F), x));
    vec whole = x + splat(PLD_ROUNDER);
    vec fraction = x - (whole - splat(PLD_ROUNDER));
#endif
    vec p = splat(PLD_ROUGH_EXP2_3) * fraction + splat(PLD_ROUGH_EXP2_2);
    p = (p * fraction + splat(PLD_ROUGH_EXP2_1)) * fraction + splat(PLD_ROUGH_EXP2_0);
#if defined(__AVX512DQ__) && PLD_VECTOR_BYTES == 64
    return (vec)_mm512_scalef_ps((__m512)p, (__m512)whole);
#else
    return p * (vec)((ivec)whole << 23);
#endif
}

/** e^x for x <= 88.3; 0 below −87.6; NaN stays. Within 2 units in the last place: ln 2 in two parts (Cody &
 *  Waite) keeps the reduced argument exact. */
PLD_INLINE vec exp_of(vec x) {
    x = larger(splat(-88.0F), x);
    vec shifted = x * splat(PLD_LOG2_E) + splat(PLD_ROUNDER);
    vec whole = shifted - splat(PLD_ROUNDER);
    vec reduced = x - whole * splat(0.693359375F);
    reduced = reduced + whole * splat(2.12194440e-4F);
    return exp2_parts(reduced * splat(PLD_LOG2_E), shifted);
}

/** log2 x for x > 0 normal; about −127 for 0; NaN is kept by callers' products, not here. Relative
 * error 2.7e-8 times a few roundings also near x = 1: the mantissa is reduced to [√½, √2). */
PLD_INLINE vec log2_of(vec x) {
    ivec bits = (ivec)x;
    ivec exponent = (bits - 0x3f3504f3) >> 23;
    vec y = (vec)(bits - (exponent << 23)) - splat(1.0F);
    vec y2 = y * y;
    vec y4 = y2 * y2;
    vec low = (splat(-0.3607036826F) * y + splat(0.4809106429F)) * y2 +
              (splat(-0.7213473468F) * y + splat(1.442695004F));
    vec high = (splat(-0.2072697274F) * y + splat(0.2157156077F)) * y2 +
               (splat(-0.238944825F) * y + splat(0.2879162484F));
    vec p = (splat(0.1258369936F) * y4 + high) * y4 + low;
    return p * y + __builtin_convertvector(exponent, vec);
}

/** 1/(1 + e^−x). */
PLD_INLINE vec sigmoid_of(vec x) {
    vec negated = -larger(splat(-88.9F), x); /* e^88.9 comes out as infinity: a sigmoid of 0 */
    return inverse(splat(1.0F) + exp_of(negated));
}

/** tanh x; NaN stays. Within 2 units in the last place: a polynomial in x² of relative error 4.4e-9 for
 * |x| < 0.625, 1 − 2/(1 + e^2|x|) beyond. */
PLD_INLINE vec tanh_of(vec x) {
    vec magnitude = (vec)((ivec)x & 0x7fffffff);
    vec square = x * x;
    vec p = splat(-0.005704986327F) * square + splat(0.02063908657F);
    p = p * square + splat(-0.05373971485F);
    p = p * square + splat(0.1333144219F);
    p = p * square + splat(-0.3333328194F);
    vec near = x + x * square * p;
    vec bounded = -larger(splat(-10.0F), -magnitude); /* from 9.1 on it is 1 */
    vec far = splat(1.0F) - splat(2.0F) * inverse(splat(1.0F) + exp_of(bounded + bounded));
    far = (vec)((ivec)far | ((ivec)x & ~0x7fffffff));
    return select_lanes(magnitude < splat(0.625F), near, far);
}

/** Φ(x) = ½·erfc(−x/√2). With t = 1/(1 + 0.3·|x|), Φ(−|x|)·e^(x²/2) is a polynomial in t of degree 8
 *  with relative error 5.8e-8 for |x| <= 14; rounding x²/2 adds |x|²/2 units in the last place in
 *  the left tail. */
PLD_INLINE vec normal_integral(vec x) {
    vec magnitude = (vec)((ivec)x & 0x7fffffff);
    vec t = inverse(splat(1.0F) + splat(0.3F) * magnitude);
    vec p = splat(0.038378292139F);
    p = p * t + splat(-0.1691661174F);
    p = p * t + splat(0.22866008028F);
    p = p * t + splat(-0.076506463774F);
    p = p * t + splat(0.14253550749F);
    p = p * t + splat(0.094683532656F);
    p = p * t + splat(0.12192033928F);
    p = p * t + splat(0.1194876894F);
    p = p * t + splat(7.1688491378e-6F);
    vec tail = p * exp_of(x * x * splat(-0.5F));
    return select_lanes(x > splat(0.0F), splat(1.0F) - tail, tail);
}

#endif
