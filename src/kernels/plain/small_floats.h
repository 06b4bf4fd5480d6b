/* SPDX-License-Identifier: Apache-2.0 */
/** Bit patterns of float32 and of the smaller types that are widened to it. */
#ifndef PLD_KERNELS_PLAIN_SMALL_FLOATS_H
#define PLD_KERNELS_PLAIN_SMALL_FLOATS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline float float_from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t bits_from_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/** Element `i` of 16-bit numbers at any alignment. */
static inline uint16_t load_u16(const void *in, size_t i) {
    uint16_t value;
    memcpy(&value, (const char *)in + 2 * i, sizeof value);
    return value;
}

static inline void store_u16(void *out, size_t i, uint16_t value) {
    memcpy((char *)out + 2 * i, &value, sizeof value);
}

/** A small float of `exponent_bits` and `mantissa_bits`, bias 2^(exponent_bits−1) − 1. The magnitude moved to
 *  float32's fields is too small by a power of two; one exact product rescales it, subnormals included. */
static inline float widen(uint32_t magnitude, uint32_t negative, int exponent_bits, int mantissa_bits) {
    uint32_t bias_gap = 127U - ((1U << (exponent_bits - 1)) - 1U);
    float value =
        float_from_bits(magnitude << (23 - mantissa_bits)) * float_from_bits((127U + bias_gap) << 23);
    return float_from_bits(bits_from_float(value) | negative << 31);
}

/** Infinity and NaN of a type with both: all ones in the exponent, the mantissa kept. */
static inline uint32_t widen_special(uint32_t magnitude, uint32_t negative, int mantissa_bits) {
    return negative << 31 | 0x7f800000U | (magnitude << (23 - mantissa_bits) & 0x7fffffU);
}

#endif
