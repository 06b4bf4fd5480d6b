/* SPDX-License-Identifier: Apache-2.0 */
/* float16 to float32 and back by the instructions for it (F16C; every instruction set built here
 * has them, the 512-bit ones in their own width). They round to the nearest, ties to even, and
 * know subnormal numbers. */
#include <immintrin.h>
#include <string.h>

#include "kernels/table.h"

#if PLD_VECTOR_BYTES == 64 && defined(__AVX512F__)
enum { LANES = 16 };

static inline void widen(const void *from, float *to) {
    _mm512_storeu_ps(to, _mm512_cvtph_ps(_mm256_loadu_si256(from)));
}

static inline void narrow(const float *from, void *to) {
    _mm256_storeu_si256(to, _mm512_cvtps_ph(_mm512_loadu_ps(from), _MM_FROUND_TO_NEAREST_INT));
}
#else
enum { LANES = 8 };

static inline void widen(const void *from, float *to) {
    _mm256_storeu_ps(to, _mm256_cvtph_ps(_mm_loadu_si128(from)));
}

static inline void narrow(const float *from, void *to) {
    _mm_storeu_si128(to, _mm256_cvtps_ph(_mm256_loadu_ps(from), _MM_FROUND_TO_NEAREST_INT));
}
#endif

void PLD_KERNEL(f16_to_f32)(const void *in, size_t count, float *out) {
    const char *from = in;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        widen(from + 2 * i, out + i);
    }
    if (i < count) {
        char last[2 * LANES] = {0};
        float values[LANES];
        memcpy(last, from + 2 * i, 2 * (count - i));
        widen(last, values);
        memcpy(out + i, values, (count - i) * sizeof *out);
    }
}

void PLD_KERNEL(f32_to_f16)(const float *in, size_t count, void *out) {
    char *to = out;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        narrow(in + i, to + 2 * i);
    }
    if (i < count) {
        char last[2 * LANES];
        float values[LANES] = {0};
        memcpy(values, in + i, (count - i) * sizeof *in);
        narrow(values, last);
        memcpy(to + 2 * i, last, 2 * (count - i));
    }
}
