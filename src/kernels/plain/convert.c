/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions between float32 and the types that weights are stored in, on bit patterns (IEEE 754; OCP 8-bit
 * floating point for the two 8-bit types). Branch-free, so that the compiler vectorises them. */
#include <string.h>

#include "kernels/table.h"

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

/** condition ? a : b without a branch: GCC keeps a floating-point operation on one side out of vector loops.
 */
static inline uint32_t pick(bool condition, uint32_t a, uint32_t b) {
    uint32_t mask = 0U - (uint32_t)condition;
    return (a & mask) | (b & ~mask);
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

void PLD_KERNEL(f16_to_f32)(const void *in, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) {
        uint32_t half = load_u16(in, i);
        uint32_t magnitude = half & 0x7fffU;
        uint32_t finite = bits_from_float(widen(magnitude, half >> 15, 5, 10));
        out[i] = float_from_bits(magnitude >= 0x7c00U ? widen_special(magnitude, half >> 15, 10) : finite);
    }
}

void PLD_KERNEL(bf16_to_f32)(const void *in, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) {
        out[i] = float_from_bits((uint32_t)load_u16(in, i) << 16);
    }
}

void PLD_KERNEL(f64_to_f32)(const void *in, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) {
        double value;
        memcpy(&value, (const char *)in + 8 * i, sizeof value);
        out[i] = (float)value;
    }
}

void PLD_KERNEL(f8_e4m3_to_f32)(const void *in, size_t count, float *out) {
    const uint8_t *bytes = in;
    for (size_t i = 0; i < count; i++) {
        uint32_t magnitude = bytes[i] & 0x7fU;
        uint32_t negative = bytes[i] >> 7;
        uint32_t finite = bits_from_float(widen(magnitude, negative, 4, 3));
        out[i] = float_from_bits(magnitude == 0x7fU ? 0x7fc00000U | negative << 31 : finite);
    }
}

void PLD_KERNEL(f8_e5m2_to_f32)(const void *in, size_t count, float *out) {
    const uint8_t *bytes = in;
    for (size_t i = 0; i < count; i++) {
        uint32_t magnitude = bytes[i] & 0x7fU;
        uint32_t negative = bytes[i] >> 7;
        uint32_t finite = bits_from_float(widen(magnitude, negative, 5, 2));
        out[i] = float_from_bits(magnitude >= 0x7cU ? widen_special(magnitude, negative, 2) : finite);
    }
}

void PLD_KERNEL(f32_to_f16)(const float *in, size_t count, void *out) {
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = bits_from_float(in[i]);
        uint32_t magnitude = bits & 0x7fffffffU;
        /* Normal: drop 13 bits with rounding to even, move the bias from 127 to 15. */
        uint32_t normal = (magnitude + 0xfffU + (magnitude >> 13 & 1U) - (112U << 23)) >> 13;
        /* Below 2^-14: adding ½ puts the last half bit at float32's last place, which rounds to even. */
        uint32_t small = bits_from_float(float_from_bits(magnitude) + 0.5F) - bits_from_float(0.5F);
        uint32_t half = pick(magnitude < 113U << 23, small, normal);
        half = pick(magnitude >= 0x477ff000U, 0x7c00U, half); /* 65520 and more: infinity */
        half = pick(magnitude > 0x7f800000U, 0x7e00U, half);
        store_u16(out, i, (uint16_t)(half | (bits >> 16 & 0x8000U)));
    }
}

void PLD_KERNEL(f32_to_bf16)(const float *in, size_t count, void *out) {
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = bits_from_float(in[i]);
        uint32_t rounded = (bits + 0x7fffU + (bits >> 16 & 1U)) >> 16;
        uint32_t quiet = bits >> 16 | 0x40U;
        store_u16(out, i, (uint16_t)((bits & 0x7fffffffU) > 0x7f800000U ? quiet : rounded));
    }
}
