/* SPDX-License-Identifier: Apache-2.0 */
/** The intrinsics of AVX_VNNI and AVX512_VNNI that the kernels use, in plain C by Intel's description of them (Software
 * Developer's Manual: VPDPBUSD): four products of a number without a sign and one with a sign, added to a sum of 32 bits
 * that wraps. */
#ifndef PLD_TESTS_VNNI_MODEL_H
#define PLD_TESTS_VNNI_MODEL_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define PLD_INT8_NATIVE 1

static inline void model_dpbusd(uint32_t *sums, const uint8_t *a, const int8_t *b, int words) {
    for (int i = 0; i < 4 * words; i++) {
        sums[i / 4] += (uint32_t)((int32_t)a[i] * (int32_t)b[i]);
    }
}

static inline __m256i model_dpbusd_256(__m256i sum, __m256i a, __m256i b) {
    uint32_t sums[8];
    uint8_t x[32];
    int8_t y[32];
    memcpy(sums, &sum, sizeof sums);
    memcpy(x, &a, sizeof x);
    memcpy(y, &b, sizeof y);
    model_dpbusd(sums, x, y, 8);
    memcpy(&sum, sums, sizeof sums);
    return sum;
}

static inline __m512i model_dpbusd_512(__m512i sum, __m512i a, __m512i b) {
    uint32_t sums[16];
    uint8_t x[64];
    int8_t y[64];
    memcpy(sums, &sum, sizeof sums);
    memcpy(x, &a, sizeof x);
    memcpy(y, &b, sizeof y);
    model_dpbusd(sums, x, y, 16);
    memcpy(&sum, sums, sizeof sums);
    return sum;
}

#define _mm256_dpbusd_avx_epi32 model_dpbusd_256
#define _mm512_dpbusd_epi32     model_dpbusd_512

#endif
