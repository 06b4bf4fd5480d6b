/* SPDX-License-Identifier: Apache-2.0 */
/** Vectors of PLD_VECTOR_BYTES as GCC and clang extensions: the same source for every width. What the
 * extensions cannot say well (maximum, square root) is an intrinsic where the width is the machine's own, and
 * plain lane arithmetic where it is not (the compiler then lowers a wide vector to narrower ones). */
#ifndef PLD_KERNELS_VECTOR_VECTOR_H
#define PLD_KERNELS_VECTOR_VECTOR_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { PLD_LANES = PLD_VECTOR_BYTES / 4 };

/** Of a function whose loop waits for the front end: for this CPU GCC uses the addresses that an instruction
 * can form, for others it adds them up before. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && PLD_VECTOR_BYTES == 32
#define PLD_FEW_INSTRUCTIONS __attribute__((target("tune=znver3")))
#else
#define PLD_FEW_INSTRUCTIONS
#endif

typedef float vec __attribute__((vector_size(PLD_VECTOR_BYTES)));
typedef int32_t ivec __attribute__((vector_size(PLD_VECTOR_BYTES)));

#define PLD_INLINE static inline __attribute__((always_inline))

PLD_INLINE vec splat(float x) {
    return x - (vec){0}; /* x − 0 keeps −0 and needs no initialiser for each width */
}

PLD_INLINE vec load(const float *from) {
    vec x;
    memcpy(&x, from, sizeof x);
    return x;
}

PLD_INLINE void store(float *to, vec x) {
    memcpy(to, &x, sizeof x);
}

/** The first `count` < PLD_LANES lanes; the others are 0. */
PLD_INLINE vec load_part(const float *from, size_t count) {
    vec x = {0};
    memcpy(&x, from, count * sizeof(float));
    return x;
}

PLD_INLINE void store_part(float *to, vec x, size_t count) {
    memcpy(to, &x, count * sizeof(float));
}

/** `lanes` of them: with PLD_LANES a whole vector, else the first. */
PLD_INLINE vec load_lanes(const float *from, int64_t lanes) {
    return lanes == PLD_LANES ? load(from) : load_part(from, (size_t)lanes);
}

PLD_INLINE void store_lanes(float *to, vec x, int64_t lanes) {
    if (lanes == PLD_LANES) {
        store(to, x);
    } else {
        store_part(to, x, (size_t)lanes);
    }
}

/** x. The compiler computes it where it is written: what is written for several vectors in step stays so. */
PLD_INLINE vec in_place(vec x) {
#if defined(__AVX__) && PLD_VECTOR_BYTES == 32
    __asm__("" : "+x"(x));
#elif defined(__AVX512F__) && PLD_VECTOR_BYTES == 64
    __asm__("" : "+v"(x));
#endif
    return x;
}

/** sum + x·y. With AVX2 the sum stays in its register and x and y are in theirs: left to itself a compiler
 * reads a factor from memory again or copies sums about, and the loops with this wait for the front end. */
PLD_INLINE vec multiply_add(vec sum, vec x, vec y) {
#if defined(__FMA__) && PLD_VECTOR_BYTES == 32
    __asm__("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(x), "x"(y));
    return sum;
#else
    return sum + x * y;
#endif
}

/** The same, in the order in which it is written, where every register is taken and another order would
 * spill. */
PLD_INLINE vec multiply_add_in_order(vec sum, vec x, vec y) {
#if defined(__FMA__) && PLD_VECTOR_BYTES == 32
    __asm__ volatile("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(x), "x"(y));
    return sum;
#else
    return sum + x * y;
#endif
}

/** That with y in memory, where no register is left for it. */
PLD_INLINE vec multiply_add_from(vec sum, vec x, const float *y) {
#if defined(__FMA__) && PLD_VECTOR_BYTES == 32
    __asm__ volatile("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(x), "m"(*(const float(*)[PLD_LANES])y));
    return sum;
#else
    return sum + x * load(y);
#endif
}

/** A product that is rounded before it is added to anything. Left to itself a compiler fuses the two where
 * both are in one block of its code, and a row's bits would depend on the loop that it is in. */
PLD_INLINE vec rounded(vec product) {
#if defined(__AVX512F__)
    __asm__("" : "+v"(product));
#elif PLD_VECTOR_BYTES == 32
    __asm__("" : "+x"(product));
#else
    __asm__("" : "+m"(product)); /* wider than any register */
#endif
    return product;
}

/** mask ? a : b, lane by lane, of a comparison's all-ones or zero. */
PLD_INLINE vec select_lanes(ivec mask, vec a, vec b) {
    return (vec)(((ivec)a & mask) | ((ivec)b & ~mask));
}

/** a > b ? a : b: a NaN in b stays, a NaN in a gives b. */
PLD_INLINE vec larger(vec a, vec b) {
#if defined(__AVX__) && PLD_VECTOR_BYTES == 32
    return (vec)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__AVX512F__) && PLD_VECTOR_BYTES == 64
    return (vec)_mm512_max_ps((__m512)a, (__m512)b);
#else
    return select_lanes(a > b, a, b);
#endif
}

PLD_INLINE vec square_root(vec x) {
#if defined(__AVX__) && PLD_VECTOR_BYTES == 32
    return (vec)_mm256_sqrt_ps((__m256)x);
#elif defined(__AVX512F__) && PLD_VECTOR_BYTES == 64
    return (vec)_mm512_sqrt_ps((__m512)x);
#else
    vec root;
    for (int lane = 0; lane < PLD_LANES; lane++) {
        root[lane] = sqrtf(x[lane]);
    }
    return root;
#endif
}

/** √x within 1e-4 of itself for normal x > 0; for others it may be no number. */
PLD_INLINE vec rough_root(vec x) {
#if defined(__AVX512F__) && PLD_VECTOR_BYTES == 64
    return x * (vec)_mm512_rsqrt14_ps((__m512)x); /* its bits are specified, those of AVX's rsqrtps are not */
#else
    return square_root(x);
#endif
}

/** 1/x for x >= 1 within a unit in the last place; 0 for infinity. A division takes Intel's 512-bit unit 16
 * to 24 cycles, which is most of a sigmoid. */
PLD_INLINE vec inverse(vec x) {
#if defined(__AVX512F__) && PLD_VECTOR_BYTES == 64
    const __m512 infinity = _mm512_set1_ps(__builtin_inff());
    __m512 rough = _mm512_rcp14_ps((__m512)x);
    __m512 error = _mm512_fnmadd_ps((__m512)x, rough, _mm512_set1_ps(1.0F));
    __mmask16 finite = _mm512_cmp_ps_mask((__m512)x, infinity, _CMP_NEQ_UQ);
    return (vec)_mm512_maskz_fmadd_ps(finite, error, rough, rough);
#else
    return splat(1.0F) / x;
#endif
}

PLD_INLINE bool any_lane(ivec mask) {
#if defined(__AVX__) && PLD_VECTOR_BYTES == 32
    return _mm256_movemask_ps((__m256)mask) != 0;
#else
    int32_t all = 0;
    for (int lane = 0; lane < PLD_LANES; lane++) {
        all |= mask[lane];
    }
    return all != 0;
#endif
}

/** Sum of the lanes, in a fixed order, in double. */
PLD_INLINE double sum_lanes(vec x) {
    double sum = 0;
    for (int lane = 0; lane < PLD_LANES; lane++) {
        sum += (double)x[lane];
    }
    return sum;
}

#endif
