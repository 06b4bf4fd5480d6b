/* SPDX-License-Identifier: Apache-2.0 */
/* Activations against double. Bounds: 4 units in the last place for a sigmoid and its product; the argument
 * of the sigmoid in quick_gelu and gelu_tanh is itself rounded, which costs |argument| units more where the
 * sigmoid is small (below −20 the value is under 1e-8 and an absolute bound says it better). */
#include <math.h>

#include "checkasm.h"

enum { POINTS = 40001 };

static double silu_of(double x) {
    return x / (1 + exp(-x));
}

static double gelu_of(double x) {
    return 0.5 * x * erfc(-x * 0.70710678118654752440);
}

static double gelu_tanh_of(double x) {
    return 0.5 * x * (1 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
}

static double quick_gelu_of(double x) {
    return x / (1 + exp(-1.702 * x));
}

static void check_activation(const char *name, void (*activate)(const float *, size_t, float *),
                             double (*oracle)(double), double absolute, double relative) {
    float *x = check_floats(POINTS), *out = check_floats(POINTS);
    double *expected = check_bytes(POINTS * sizeof(double));
    for (int i = 0; i < POINTS; i++) {
        x[i] = (float)((i - POINTS / 2) * 30.0 / (POINTS / 2)); /* −30 … 30 */
        expected[i] = oracle((double)x[i]);
    }
    activate(x, POINTS, out);
    check_near(name, out, expected, POINTS, absolute, relative);
    for (size_t count = 1; count < 40; count++) {
        float *tail = check_floats(count), *tail_out = check_floats(count);
        check_fill(tail, count, -4, 4);
        for (size_t i = 0; i < count; i++) {
            expected[i] = oracle((double)tail[i]);
        }
        activate(tail, count, tail_out);
        check_near(name, tail_out, expected, count, absolute, relative);
        activate(tail, count, tail);
        check_same("in place", tail, tail_out, count * sizeof(float));
    }
    float *edge = check_floats(5);
    edge[0] = NAN;
    edge[1] = 1e30F;
    edge[2] = -1e30F;
    edge[3] = 0;
    edge[4] = -200;
    activate(edge, 5, edge);
    assert_true(isnan(edge[0]) && edge[1] == 1e30F && edge[2] == 0 && edge[3] == 0 &&
                fabsf(edge[4]) < 1e-30F);
    check_release();
}

void check_silu(const pld_kernels *kernels) {
    check_activation("silu", kernels->silu, silu_of, 1e-30, 6e-7);
}

void check_gelu(const pld_kernels *kernels) {
    /* erfc's relative error grows with its argument squared: 1e-6 holds to −4, absolute below. */
    check_activation("gelu", kernels->gelu, gelu_of, 1e-9, 1e-6);
}

void check_gelu_tanh(const pld_kernels *kernels) {
    check_activation("gelu_tanh", kernels->gelu_tanh, gelu_tanh_of, 1e-8, 2e-6);
}

void check_quick_gelu(const pld_kernels *kernels) {
    check_activation("quick_gelu", kernels->quick_gelu, quick_gelu_of, 1e-9, 2e-6);
}

void check_geglu(const pld_kernels *kernels) {
    for (int64_t channels = 1; channels < 70; channels += 3) {
        size_t count = (size_t)(3 * channels);
        float *in = check_floats(2 * count), *out = check_floats(count), *apart = check_floats(3 * 80);
        double expected[210];
        check_fill(in, 2 * count, -4, 4);
        for (size_t i = 0; i < count; i++) {
            size_t at = i / (size_t)channels * 2 * (size_t)channels + i % (size_t)channels;
            expected[i] = (double)in[at] * gelu_of((double)in[at + (size_t)channels]);
        }
        kernels->geglu(in, 3, channels, out, channels);
        check_near("geglu", out, expected, count, 1e-8, 1e-6);
        kernels->geglu(in, 3, channels, apart, 80);
        for (int row = 0; row < 3; row++) {
            check_same("geglu, rows apart", apart + (int64_t)80 * row, out + row * channels,
                       (size_t)channels * sizeof *out);
        }
    }
}
