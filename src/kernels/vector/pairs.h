/* SPDX-License-Identifier: Apache-2.0 */
/** The one operation on bfloat16: dot products of pairs, added to float32. A pair is a word with the earlier
 * number in its low half. With AVX512_BF16 it is one instruction; elsewhere two shifts and two multiply-adds,
 * so that the same loops over the same layouts run, and are tested, everywhere. */
#ifndef PLD_KERNELS_VECTOR_PAIRS_H
#define PLD_KERNELS_VECTOR_PAIRS_H

#include "kernels/vector/vector.h"

#if defined(__AVX512BF16__) && PLD_VECTOR_BYTES == 64
#define PLD_PAIRS_NATIVE 1
#else
#define PLD_PAIRS_NATIVE 0
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

#endif
