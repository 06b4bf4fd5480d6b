/* SPDX-License-Identifier: Apache-2.0 */
/* Quantisers, whose search has no oracle. On average they lose no more than rounding to evenly spaced levels over the range of
 * each part would, in double precision and with scales that are any numbers: the search makes up for what scales of few bits
 * cost. In one block, where parts of very unlike range share a scale, that cost may be up to a quarter more. */
#include <math.h>
#include <string.h>

#include "checkasm.h"

enum { BLOCK = 256, BLOCKS = 24, COUNT = BLOCK * BLOCKS };

typedef struct quantiser {
    void (*narrow)(const float *, size_t, void *);
    void (*widen)(const void *, size_t, float *);
    void (*scalar)(const float *, size_t, void *);
    size_t bytes;     /* of 256 numbers */
    int part, levels; /* numbers that have a scale, and steps of it */
    bool around_zero; /* levels are those of both signs of the largest */
} quantiser;

/** Σ (x − nearest level)² of one part. */
static double plain_error(const quantiser *q, const float *x) {
    double low = 0, high = 0, error = 0;
    for (int i = 0; i < q->part; i++) {
        low = fmin(low, (double)x[i]);
        high = fmax(high, (double)x[i]);
    }
    if (q->around_zero) {
        high = fmax(high, -low);
        low = -high;
    }
    const double step = (high - low) / q->levels;
    for (int i = 0; i < q->part && step > 0; i++) {
        const double nearest = low + step * rint(((double)x[i] - low) / step);
        error += ((double)x[i] - nearest) * ((double)x[i] - nearest);
    }
    return error;
}

/** Normal, with some far out, at scales from 1e-2 to 100: smaller steps are below the normal numbers of float16. */
static void fill_weights(float *x) {
    for (int i = 0; i < COUNT; i++) {
        const double scale = pow(10, i / BLOCK % 5 - 2);
        const double normal = sqrt(-2 * log(check_random(1e-9, 1))) * cos(check_random(0, 6.283185307179586));
        x[i] = (float)(scale * normal * (check_random(0, 1) < 0.01 ? 4 : 1));
    }
}

static double square_error(const float *x, const float *y, int count) {
    double error = 0;
    for (int i = 0; i < count; i++) {
        error += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
    }
    return error;
}

static void check_errors(const quantiser *q) {
    float *x = check_floats(COUNT + 1) + 1, *y = check_floats(COUNT);
    unsigned char *blocks = (unsigned char *)check_bytes(BLOCKS * q->bytes + 1) + 1,
                  *expected = check_bytes(BLOCKS * q->bytes);
    fill_weights(x);
    q->narrow(x, COUNT, blocks);
    q->widen(blocks, COUNT, y);
    double ratios = 0;
    for (int i = 0; i < COUNT; i += BLOCK) {
        double plain = 0;
        for (int j = 0; j < BLOCK; j += q->part) {
            plain += plain_error(q, x + i + j);
        }
        const double ratio = square_error(x + i, y + i, BLOCK) / plain;
        assert_true(ratio <= 1.25);
        ratios += ratio;
    }
    assert_true(ratios / BLOCKS <= 1);
    /* Sums are of other orders, so that a near tie may be decided otherwise, which costs nothing. */
    q->scalar(x, COUNT, expected);
    const double error = square_error(x, y, COUNT);
    q->widen(expected, COUNT, y);
    assert_true(fabs(error - square_error(x, y, COUNT)) <= 1e-3 * error);
}

/** Zeros stay zeros, one number all over stays it within a step of 6 bits; what is too large or no number becomes a number. */
static void check_extremes(const quantiser *q) {
    float *x = check_floats(BLOCK), *y = check_floats(BLOCK);
    unsigned char *block = check_bytes(q->bytes);
    static const float constants[] = {0, 0.5F, -0.5F, 1e-30F, -1e-30F};
    for (size_t constant = 0; constant < sizeof constants / sizeof *constants; constant++) {
        for (int i = 0; i < BLOCK; i++) {
            x[i] = constants[constant];
        }
        q->narrow(x, BLOCK, block);
        q->widen(block, BLOCK, y);
        for (int i = 0; i < BLOCK; i++) {
            assert_true(fabsf(y[i] - x[i]) <= fabsf(x[i]) / 64 + 1e-29F);
        }
    }
    check_fill(x, BLOCK, -1, 1);
    x[1] = NAN;
    x[70] = INFINITY;
    x[130] = -INFINITY;
    x[200] = 3e38F;
    x[201] = -1e-44F;
    q->narrow(x, BLOCK, block);
    q->widen(block, BLOCK, y);
    for (int i = 0; i < BLOCK; i++) {
        assert_true(isfinite(y[i]));
    }
}

#define CHECK(name, back, ...)                                                                               \
    void check_##name(const pld_kernels *kernels) {                                                          \
        const quantiser q = {kernels->name, kernels->back, check_scalar()->name, __VA_ARGS__};               \
        check_errors(&q);                                                                                    \
        check_extremes(&q);                                                                                  \
    }

CHECK(f32_to_q4_0, q4_0_to_f32, 144, 32, 15, true)
CHECK(f32_to_q4_k, q4_k_to_f32, 144, 32, 15, false)
CHECK(f32_to_q5_k, q5_k_to_f32, 176, 32, 31, false)
CHECK(f32_to_q6_k, q6_k_to_f32, 210, 16, 63, true)

void check_i8_to_f32(const pld_kernels *kernels) {
    signed char *in = (signed char *)check_bytes(257) + 1;
    float *out = check_floats(256);
    for (int i = 0; i < 256; i++) {
        in[i] = (signed char)(i - 128);
    }
    kernels->i8_to_f32(in, 256, out);
    for (int i = 0; i < 256; i++) {
        assert_true(out[i] == (float)(i - 128));
    }
}
