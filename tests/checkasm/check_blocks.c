/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of quantised weights: each instruction set against scalar C, which tests/parity compares with what gguf gives. */
#include <math.h>
#include <string.h>

#include "checkasm.h"

enum { BLOCKS = 7 };

/** Where the float16 numbers of a block lie, so that random bytes there become numbers. */
typedef struct block_layout {
    size_t bytes, values;
    size_t half[2]; /* places; the same twice: there is one */
} block_layout;

static void compare(void (*widen)(const void *, size_t, float *),
                    void (*scalar)(const void *, size_t, float *), block_layout layout) {
    const size_t bytes = BLOCKS * layout.bytes, count = BLOCKS * layout.values;
    unsigned char *in = check_bytes(bytes + 1); /* odd start: misaligned */
    float *out = check_floats(count), *expected = check_floats(count);
    for (size_t i = 0; i < bytes; i++) {
        in[1 + i] = (unsigned char)check_random(0, 256);
    }
    for (size_t block = 0; block < BLOCKS; block++) {
        for (int i = 0; i < 2; i++) { /* exponents from 2^-9 to 2^-2 */
            in[1 + block * layout.bytes + layout.half[i] + 1] = (unsigned char)(0x1c + check_random(0, 32));
        }
    }
    widen(in + 1, count, out);
    scalar(in + 1, count, expected);
    for (size_t i = 0; i < count; i++) { /* a product and a sum may be rounded once or twice */
        const float largest = 64 * 256;
        assert_true(isfinite(out[i]) && fabsf(out[i] - expected[i]) <=
                                            0x1p-22F * largest * 0x1p-10F + 0x1p-22F * fabsf(expected[i]));
    }
}

#define CHECK(name, ...)                                                                                     \
    void check_##name(const pld_kernels *kernels) {                                                          \
        compare(kernels->name, pld_kernels_get(PLD_ISA_SCALAR)->name, (block_layout)__VA_ARGS__);            \
    }

CHECK(q8_0_to_f32, {34, 32, {0, 0}})
CHECK(q4_0_to_f32, {18, 32, {0, 0}})
CHECK(q4_1_to_f32, {20, 32, {0, 2}})
CHECK(q5_0_to_f32, {22, 32, {0, 0}})
CHECK(q5_1_to_f32, {24, 32, {0, 2}})
CHECK(q2_k_to_f32, {84, 256, {80, 82}})
CHECK(q3_k_to_f32, {110, 256, {108, 108}})
CHECK(q4_k_to_f32, {144, 256, {0, 2}})
CHECK(q5_k_to_f32, {176, 256, {0, 2}})
CHECK(q6_k_to_f32, {210, 256, {208, 208}})
CHECK(iq4_nl_to_f32, {18, 32, {0, 0}})

/** No number is farther from its own than half a step, or a little more where the step was rounded down; the step is a
 * float16 next to the largest number / 127. */
void check_f32_to_q8_0(const pld_kernels *kernels) {
    enum { COUNT = 32 * 40 };
    float *in = check_floats(COUNT), *back = check_floats(COUNT);
    unsigned char *blocks = check_bytes(COUNT / 32 * 34);
    for (int i = 0; i < COUNT; i++) { /* from zeros and numbers too small for float16 to numbers too large */
        in[i] = i < 32 ? 0 : (float)(check_random(-1, 1) * pow(10, i / 32 / 4 - 4));
    }
    in[COUNT - 1] = 1e9F;
    kernels->f32_to_q8_0(in, COUNT, blocks);
    kernels->q8_0_to_f32(blocks, COUNT, back);
    for (int i = 0; i < COUNT - 32; i++) {
        float largest = 0;
        for (int j = i / 32 * 32; j < i / 32 * 32 + 32; j++) {
            largest = fmaxf(largest, fabsf(in[j]));
        }
        assert_true(fabsf(in[i] - back[i]) <= largest / 127 * 0.5625F + 0x1p-18F);
    }
    assert_true(back[COUNT - 1] == 127 * 65504.0F);
}
