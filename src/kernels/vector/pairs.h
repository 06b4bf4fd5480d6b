/* SPDX-License-Identifier: Apache-2.0 */
/** The one operation on bfloat16: dot products of pairs, added to float32. A pair is a word with the earlier
 * number in its low half. With AVX512_BF16 it is one instruction; elsewhere two shifts and two multiply-adds,
 * so that the same loops over the same layouts run, and are tested, everywhere. */
#ifndef PLD_KERNELS_VECTOR_PAIRS_H
#define PLD_KERNELS_VECTOR_PAIRS_H

#include "kernels/vector/vector.h"

#ifndef PLD_PAIRS_NATIVE /* a test sets it and brings a model of the instructions */
#if defined(__AVX512BF16__) && PLD_VECTOR_BYTES == 64
#define PLD_PAIRS_NATIVE 1
#else
#define PLD_PAIRS_NATIVE 0
#endif
#endif

PLD_INLINE ivec load_pairs(const uint32_t *from) {
    ivec x;
    memcpy(&x, from, sizeof x);
    return x;
}

PLD_INLINE ivec splat_pair(uint32_t pair) {
    return (int32_t)pair - (ivec){0};
}

/** sum + a.later · b.later + a.earlier · b.earlier, lane by lane. */
PLD_INLINE vec add_pairs(vec sum, ivec a, ivec b) {
#if PLD_PAIRS_NATIVE
    return (vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#else
    const int32_t upper = (int32_t)0xffff0000;
    sum += (vec)(a & upper) * (vec)(b & upper);
    return sum + (vec)(a << 16) * (vec)(b << 16);
#endif
}

/** Bits of x rounded to the nearest bfloat16, ties to even, in the upper half; the lower half is 0. NaN
 * stays.
 */
PLD_INLINE ivec rounded_bits(vec x) {
    typedef uint32_t uvec __attribute__((vector_size(PLD_VECTOR_BYTES)));
    uvec bits = (uvec)x;
    uvec nearest = bits + 0x7fffU + ((bits >> 16) & 1U);
    ivec not_a_number = x != x;
    uvec quiet = bits | 0x400000U;
    return (((ivec)nearest & ~not_a_number) | ((ivec)quiet & not_a_number)) & (int32_t)0xffff0000;
}

/** Pairs of earlier and later, lane by lane. */
PLD_INLINE ivec join_pairs(vec earlier, vec later) {
#if PLD_PAIRS_NATIVE
    /* the rounded numbers of both, the later ones in the upper half; then word i of 16-bit lanes i, 16 + i */
    const ivec lanes = {0x100000, 0x110001, 0x120002, 0x130003, 0x140004, 0x150005, 0x160006, 0x170007,
                        0x180008, 0x190009, 0x1a000a, 0x1b000b, 0x1c000c, 0x1d000d, 0x1e000e, 0x1f000f};
    __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)later, (__m512)earlier);
    return (ivec)_mm512_permutexvar_epi16((__m512i)lanes, both);
#else
    typedef uint32_t uvec __attribute__((vector_size(PLD_VECTOR_BYTES)));
    return (ivec)((uvec)rounded_bits(earlier) >> 16) | rounded_bits(later);
#endif
}

/** Round PLD_LANES numbers of a row to pairs: PLD_LANES / 2 words at any address. */
PLD_INLINE void store_rounded(void *to, vec x) {
#if PLD_PAIRS_NATIVE
    __m256bh numbers = _mm512_cvtneps_pbh((__m512)x);
    memcpy(to, &numbers, sizeof numbers);
#else
    typedef uint16_t half_vec __attribute__((vector_size(PLD_VECTOR_BYTES / 2)));
    half_vec numbers = __builtin_convertvector(rounded_bits(x) >> 16, half_vec);
    memcpy(to, &numbers, sizeof numbers);
#endif
}

#endif
