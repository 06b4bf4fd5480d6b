/* SPDX-License-Identifier: Apache-2.0 */
/** The intrinsics of AVX512_BF16 that the kernels use, in plain C by Intel's description of them (Software
 * Developer's Manual: VDPBF16PS, VCVTNEPS2BF16): subnormal operands and results are zeros, roundings to the
 * nearest even. With this header the code written for the instructions is tested where no CPU has them; what
 * it cannot show is whether a CPU keeps to the description. */
#ifndef PLD_TESTS_AVX512BF16_MODEL_H
#define PLD_TESTS_AVX512BF16_MODEL_H

#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

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

static inline __m512i model_cvtepu16_epi32(__m256i from) {
    uint16_t in[16];
    uint32_t out[16];
    __m512i result;
    memcpy(in, &from, sizeof in);
    for (int lane = 0; lane < 16; lane++) {
        out[lane] = in[lane];
    }
    memcpy(&result, out, sizeof result);
    return result;
}

static inline __m512i model_slli_epi32(__m512i from, unsigned count) {
    uint32_t lanes[16];
    memcpy(lanes, &from, sizeof lanes);
    for (int lane = 0; lane < 16; lane++) {
        lanes[lane] <<= count;
    }
    memcpy(&from, lanes, sizeof from);
    return from;
}

static inline __m512i model_or_si512(__m512i a, __m512i b) {
    return a | b;
}

#define _mm512_dpbf16_ps      model_dpbf16_ps
#define _mm512_cvtneps_pbh    model_cvtneps_pbh
#define _mm512_cvtepu16_epi32 model_cvtepu16_epi32
#define _mm512_slli_epi32     model_slli_epi32
#define _mm512_or_si512       model_or_si512

#endif
