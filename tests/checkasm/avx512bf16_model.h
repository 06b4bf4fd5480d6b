/* SPDX-License-Identifier: Apache-2.0 */
/** The intrinsics of AVX512_BF16 that the kernels use, in plain C by Intel's description of them (Software
 * Developer's Manual: VDPBF16PS, VCVTNEPS2BF16, VCVTNE2PS2BF16, VPERMW): subnormal operands and results are
 * zeros, roundings to the nearest even. With this header the code written for the instructions is tested
 * where no CPU has them; what it cannot show is whether a CPU keeps to the description. */
#ifndef PLD_TESTS_AVX512BF16_MODEL_H
#define PLD_TESTS_AVX512BF16_MODEL_H

#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "vnni_model.h"

#define PLD_PAIRS_NATIVE 1

static inline float model_number(uint32_t bits) {
    float value;
    bits = (bits & 0x7f800000U) ? bits : bits & 0x80000000U; /* subnormal: zero */
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t model_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline __m512 model_dpbf16_ps(__m512 sum, __m512bh a, __m512bh b) {
    float sums[16];
    uint16_t x[32], y[32];
    memcpy(sums, &sum, sizeof sums);
    memcpy(x, &a, sizeof x);
    memcpy(y, &b, sizeof y);
    for (int lane = 0; lane < 16; lane++) {
        for (int which = 1; which >= 0; which--) {
            const int i = 2 * lane + which;
            const float product = model_number((uint32_t)x[i] << 16) * model_number((uint32_t)y[i] << 16);
            sums[lane] = model_number(model_bits(product + model_number(model_bits(sums[lane]))));
        }
    }
    memcpy(&sum, sums, sizeof sums);
    return sum;
}

static inline __m256bh model_cvtneps_pbh(__m512 from) {
    uint32_t bits[16];
    uint16_t out[16];
    __m256bh result;
    memcpy(bits, &from, sizeof bits);
    for (int lane = 0; lane < 16; lane++) {
        const uint32_t x = bits[lane];
        const uint32_t magnitude = x & 0x7fffffffU;
        const uint32_t rounded = magnitude < 0x00800000U ? x & 0x80000000U : x + 0x7fffU + (x >> 16 & 1U);
        out[lane] = (uint16_t)((magnitude > 0x7f800000U ? x | 0x400000U : rounded) >> 16);
    }
    memcpy(&result, out, sizeof result);
    return result;
}

/** The numbers of `second` in the lower half, those of `first` in the upper one. */
static inline __m512bh model_cvtne2ps_pbh(__m512 first, __m512 second) {
    const __m256bh halves[2] = {model_cvtneps_pbh(second), model_cvtneps_pbh(first)};
    __m512bh result;
    memcpy(&result, halves, sizeof result);
    return result;
}

static inline __m512i model_permutexvar_epi16(__m512i lanes, __m512i from) {
    uint16_t at[32], in[32], out[32];
    memcpy(at, &lanes, sizeof at);
    memcpy(in, &from, sizeof in);
    for (int lane = 0; lane < 32; lane++) {
        out[lane] = in[at[lane] % 32];
    }
    memcpy(&from, out, sizeof from);
    return from;
}

#define _mm512_dpbf16_ps         model_dpbf16_ps
#define _mm512_cvtneps_pbh       model_cvtneps_pbh
#define _mm512_cvtne2ps_pbh      model_cvtne2ps_pbh
#define _mm512_permutexvar_epi16 model_permutexvar_epi16

#endif
