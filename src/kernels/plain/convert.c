/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions between float32 and the types that weights are stored in, on bit patterns (IEEE 754; OCP 8-bit
 * floating point for the two 8-bit types). Branch-free, so that the compiler vectorises them. float16 has
 * instructions, and files of its own: scalar/halves.c, vector/halves.c. */
#include <string.h>

#include "kernels/plain/small_floats.h"
#include "kernels/table.h"

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

/** The nearest bfloat16, ties to even, in the upper half; a NaN stays one. */
static inline uint32_t bf16_bits(float value) {
    uint32_t bits = bits_from_float(value);
    uint32_t rounded = bits + 0x7fffU + (bits >> 16 & 1U);
    uint32_t quiet = bits | 0x400000U;
    return ((bits & 0x7fffffffU) > 0x7f800000U ? quiet : rounded) & 0xffff0000U;
}

void PLD_KERNEL(f32_to_bf16)(const float *in, size_t count, void *out) {
    for (size_t i = 0; i < count; i++) {
        store_u16(out, i, (uint16_t)(bf16_bits(in[i]) >> 16));
    }
}

void PLD_KERNEL(f32_split)(const float *in, size_t count, void *high, void *low) {
    for (size_t i = 0; i < count; i++) {
        uint32_t upper = bf16_bits(in[i]);
        uint32_t rest = bf16_bits(in[i] - float_from_bits(upper));
        store_u16(high, i, (uint16_t)(upper >> 16));
        store_u16(low, i, (uint16_t)((upper & 0x7f800000U) == 0x7f800000U ? 0 : rest >> 16));
    }
}
