/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions: every code of the small types against their definition, and rounding
 * against exact arithmetic. */
#include <math.h>
#include <string.h>

#include "checkasm.h"

/** Value of a small float by definition; `special` codes from `first_special` on. */
static double decode(unsigned code, int exponent_bits, int mantissa_bits, bool has_infinity) {
    unsigned magnitude = code & ((1U << (exponent_bits + mantissa_bits)) - 1);
    double sign = code >> (exponent_bits + mantissa_bits) ? -1 : 1;
    int exponent = (int)(magnitude >> mantissa_bits);
    double mantissa = ldexp((double)(magnitude & ((1U << mantissa_bits) - 1)), -mantissa_bits);
    int bias = (1 << (exponent_bits - 1)) - 1;
    int top = (1 << exponent_bits) - 1;
    if (has_infinity && exponent == top) {
        return mantissa == 0 ? sign * INFINITY : NAN;
    }
    if (!has_infinity && magnitude == (1U << (exponent_bits + mantissa_bits)) - 1) {
        return NAN;
    }
    return sign * (exponent == 0 ? ldexp(mantissa, 1 - bias) : ldexp(1 + mantissa, exponent - bias));
}

static void check_widening(void (*convert)(const void *, size_t, float *), unsigned codes, int exponent_bits,
                           int mantissa_bits, bool has_infinity) {
    size_t width = exponent_bits + mantissa_bits > 8 ? 2 : 1;
    unsigned char *in = check_bytes(codes * width + 1); /* odd start: misaligned */
    float *out = check_floats(codes);
    for (unsigned code = 0; code < codes; code++) {
        uint16_t wide = (uint16_t)code;
        memcpy(in + 1 + code * width, &wide, width); /* little endian */
    }
    convert(in + 1, codes, out);
    for (unsigned code = 0; code < codes; code++) {
        double expected = decode(code, exponent_bits, mantissa_bits, has_infinity);
        bool equal = isnan(expected) ? isnan(out[code]) : (double)out[code] == expected;
        if (!equal || (!isnan(expected) && !signbit(out[code]) != !signbit(expected))) {
            fail_msg("code 0x%x gives %g, expected %g", code, (double)out[code], expected);
        }
    }
}

void check_f16_to_f32(const pld_kernels *kernels) {
    check_widening(kernels->f16_to_f32, 65536, 5, 10, true);
    for (unsigned codes = 1; codes < 40; codes++) { /* ends of every length, at guarded places */
        check_widening(kernels->f16_to_f32, codes, 5, 10, true);
    }
}

void check_bf16_to_f32(const pld_kernels *kernels) {
    check_widening(kernels->bf16_to_f32, 65536, 8, 7, true);
}

void check_f8_e4m3_to_f32(const pld_kernels *kernels) {
    check_widening(kernels->f8_e4m3_to_f32, 256, 4, 3, false);
}

void check_f8_e5m2_to_f32(const pld_kernels *kernels) {
    check_widening(kernels->f8_e5m2_to_f32, 256, 5, 2, true);
}

void check_f64_to_f32(const pld_kernels *kernels) {
    double in[37];
    float *out = check_floats(37);
    for (int i = 0; i < 37; i++) {
        in[i] = check_random(-1e3, 1e3) * pow(10, i - 18);
    }
    kernels->f64_to_f32(in, 37, out);
    for (int i = 0; i < 37; i++) {
        assert_true(out[i] == (float)in[i]);
    }
}

/** Round to nearest, ties to even: for each finite code c, the value itself, the midpoint to the next code
 * and the float32 neighbours of the midpoint. */
static void check_narrowing(void (*narrow)(const float *, size_t, void *),
                            void (*widen)(const void *, size_t, float *), unsigned last_finite) {
    for (unsigned code = 0; code < last_finite; code++) {
        uint16_t pair[2] = {(uint16_t)code, (uint16_t)(code + 1)};
        float value[2];
        widen(pair, 2, value);
        float middle = (float)(((double)value[0] + (double)value[1]) / 2);
        float in[8] = {value[0], nextafterf(middle, 0), middle, nextafterf(middle, INFINITY)};
        uint16_t expected[8] = {pair[0], pair[0], code & 1 ? pair[1] : pair[0], pair[1]};
        if (value[1] == INFINITY || (double)middle != ((double)value[0] + (double)value[1]) / 2) {
            continue;
        }
        for (int i = 0; i < 4; i++) {
            in[4 + i] = -in[i];
            expected[4 + i] = expected[i] | 0x8000;
        }
        uint16_t found[8];
        narrow(in, 8, found);
        if (memcmp(found, expected, sizeof found) != 0) {
            fail_msg("rounding near code 0x%x is wrong", code);
        }
    }
    float special[5] = {INFINITY, -INFINITY, NAN, 3.4e38F, 0};
    uint16_t found[5];
    float back[5];
    narrow(special, 5, found);
    widen(found, 5, back);
    assert_true(back[0] == INFINITY && back[1] == -INFINITY && isnan(back[2]) && back[3] > 1e4F &&
                back[4] == 0);
}

void check_f32_to_f16(const pld_kernels *kernels) {
    check_narrowing(kernels->f32_to_f16, check_scalar()->f16_to_f32, 0x7bff);
    float edge[3] = {65504, 65519.996F, 65520};
    uint16_t found[3];
    kernels->f32_to_f16(edge, 3, found);
    assert_int_equal(found[0], 0x7bff);
    assert_int_equal(found[1], 0x7bff);
    assert_int_equal(found[2], 0x7c00);
    for (size_t count = 1; count < 40; count++) {
        float *in = check_floats(count);
        uint16_t *out = (uint16_t *)(void *)check_bytes(2 * count);
        for (size_t i = 0; i < count; i++) {
            in[i] = 2048.0F + (float)(2 * i);
        }
        kernels->f32_to_f16(in, count, out);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(out[i], 0x6800 + i);
        }
    }
}

void check_f32_to_bf16(const pld_kernels *kernels) {
    check_narrowing(kernels->f32_to_bf16, check_scalar()->bf16_to_f32, 0x7f7f);
}

void check_f32_split(const pld_kernels *kernels) {
    enum { COUNT = 1003 };
    static const float special[] = {0.0F, -0.0F, INFINITY, -INFINITY, NAN, 3.4e38F, -3.4e38F, 1e-38F, 1e-44F};
    float *x = check_floats(COUNT);
    float *high = check_floats(COUNT);
    float *low = check_floats(COUNT);
    float *one = check_floats(COUNT);
    uint16_t *halves = check_bytes(2 * COUNT * sizeof *halves);
    check_fill(x, COUNT, -1000, 1000);
    memcpy(x, special, sizeof special);
    for (size_t count = COUNT - 40; count <= COUNT; count++) {
        kernels->f32_split(x, count, halves, halves + count);
        check_scalar()->bf16_to_f32(halves, count, high);
        check_scalar()->bf16_to_f32(halves + count, count, low);
        check_scalar()->f32_to_bf16(x, count, one);
        assert_memory_equal(halves, one, count * sizeof *halves);
        for (size_t i = 0; i < count; i++) {
            if (!isfinite(high[i])) {
                assert_true(low[i] == 0);
            } else { /* below 2^-126 - 9 bits there is nothing left to round to */
                assert_true(fabs((double)x[i] - (double)high[i] - (double)low[i]) <=
                            fabs((double)x[i]) * 0x1p-17 + 0x1p-134);
            }
        }
    }
    check_release();
}
