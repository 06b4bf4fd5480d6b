/* SPDX-License-Identifier: Apache-2.0 */
/** float16 numbers within blocks of quantised weights. */
#ifndef PLD_KERNELS_PLAIN_HALF_BITS_H
#define PLD_KERNELS_PLAIN_HALF_BITS_H

#include "kernels/plain/small_floats.h"

static inline float half_at(const uint8_t *bytes) {
    const uint32_t bits = load_u16(bytes, 0), magnitude = bits & 0x7fffU, negative = bits >> 15;
    return magnitude >= 0x7c00U ? float_from_bits(widen_special(magnitude, negative, 10))
                                : widen(magnitude, negative, 5, 10);
}

/** float16 bits of a number that is not below 0, the nearest, ties to even; numbers beyond 65504 become that. */
static inline uint16_t half_bits(float value) {
    const uint32_t bits = bits_from_float(value < 65504.0F ? value : 65504.0F);
    const uint32_t normal = bits - (112U << 23), rounded = (normal + 0xfffU + (normal >> 13 & 1U)) >> 13;
    /* below 2^-14 a step is 2^-24: what is added makes float32 round to it */
    const uint32_t small = bits_from_float(value + 0.5F) - bits_from_float(0.5F);
    return (uint16_t)(bits < (113U << 23) ? small : rounded);
}

/** Store a number of either sign as float16, and give back what was stored. */
static inline float store_half(float value, uint8_t *bytes) {
    const uint16_t magnitude = half_bits(value < 0 ? -value : value);
    store_u16(bytes, 0, (uint16_t)(magnitude | (value < 0 ? 0x8000U : 0)));
    return half_at(bytes);
}

#endif
