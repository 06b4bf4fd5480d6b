/* SPDX-License-Identifier: Apache-2.0 */
/** The one operation on 8-bit integers: dot products of short runs of them, added to 32-bit sums. With VNNI it is one
 * instruction on four of them, those of the left side without a sign; elsewhere two on two of 16 bits, so that the
 * same loops run on words of either kind. */
#ifndef PLD_KERNELS_VECTOR_INT8_H
#define PLD_KERNELS_VECTOR_INT8_H

#include "kernels/vector/vector.h"

#ifndef PLD_INT8_NATIVE /* a test sets it and brings a model of the instruction */
#if (defined(__AVX512VNNI__) && PLD_VECTOR_BYTES == 64) || (defined(__AVXVNNI__) && PLD_VECTOR_BYTES == 32)
#define PLD_INT8_NATIVE 1
#else
#define PLD_INT8_NATIVE 0
#endif
#endif

#ifndef PLD_INT8_TILES /* likewise */
#ifdef __AMX_INT8__
#define PLD_INT8_TILES 1
#else
#define PLD_INT8_TILES 0
#endif
#endif

PLD_INLINE ivec load_integers(const void *from) {
    ivec x;
    memcpy(&x, from, sizeof x);
    return x;
}

PLD_INLINE ivec splat_integers(const void *word) {
    int32_t x;
    memcpy(&x, word, sizeof x);
    return x - (ivec){0};
}

#if PLD_INT8_TILES
enum { INT8_WORDS = 1, INT8_OFFSET = 0 };
#elif PLD_INT8_NATIVE
enum { INT8_WORDS = 1, INT8_OFFSET = 128 };

/** sum + Σ of four numbers of each word, of x plus INT8_OFFSET. */
PLD_INLINE ivec add_integers(ivec sum, ivec x, ivec y) {
#if PLD_VECTOR_BYTES == 64
    return (ivec)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)x, (__m512i)y);
#else
    return (ivec)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)x, (__m256i)y);
#endif
}
#else
enum { INT8_WORDS = 2, INT8_OFFSET = 0 };

/** sum + Σ of two numbers of each word. */
PLD_INLINE ivec add_integers(ivec sum, ivec x, ivec y) {
#if defined(__AVX2__) && PLD_VECTOR_BYTES == 32
    /* as it is written: with sums, operands and two products every register is taken */
    ivec product;
    __asm__("vpmaddwd %2, %1, %0" : "=x"(product) : "x"(x), "x"(y));
    __asm__("vpaddd %1, %0, %0" : "+x"(sum) : "x"(product));
    return sum;
#elif defined(__AVX512BW__) && PLD_VECTOR_BYTES == 64
    return sum + (ivec)_mm512_madd_epi16((__m512i)x, (__m512i)y);
#else
    return sum + (x >> 16) * (y >> 16) + (x << 16 >> 16) * (y << 16 >> 16);
#endif
}
#endif

#endif
