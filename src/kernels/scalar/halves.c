/* SPDX-License-Identifier: Apache-2.0 */
/* float16 to float32 and back, on bit patterns: the specification of the instructions. */
#include "kernels/plain/small_floats.h"
#include "kernels/table.h"

/** condition ? a : b without a branch: GCC keeps a floating-point operation on one side out
 * of vector loops. */
static inline uint32_t pick(bool condition, uint32_t a, uint32_t b) {
    uint32_t mask = 0U - (uint32_t)condition;
    return (a & mask) | (b & ~mask);
}

void PLD_KERNEL(f16_to_f32)(const void *in, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) {
        uint32_t half = load_u16(in, i);
        uint32_t magnitude = half & 0x7fffU;
        uint32_t finite = bits_from_float(widen(magnitude, half >> 15, 5, 10));
        out[i] = float_from_bits(magnitude >= 0x7c00U ? widen_special(magnitude, half >> 15, 10) : finite);
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
