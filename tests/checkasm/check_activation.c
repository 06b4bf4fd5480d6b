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

static double relu_of(double x) {
    return x > 0 ? x : 0;
}

void check_relu(const pld_kernels *kernels) {
    check_activation("relu", kernels->relu, relu_of, 0, 0);
}

/** a·act(b) of rows with gaps between them, in `out` and in place of a or b. */
static void gate_case(const pld_kernels *kernels, pld_gate_kind kind, double (*oracle)(double), int64_t rows,
                      int64_t channels) {
    const int64_t a_row = channels + 3, b_row = 2 * channels, out_row = channels + 1;
    const size_t out_count = (size_t)((rows - 1) * out_row + channels);
    const size_t a_count = (size_t)((rows - 1) * a_row + channels);
    float *a = check_floats(a_count), *b = check_floats((size_t)(rows * b_row)),
          *out = check_floats(out_count);
    double *expected = check_bytes(out_count * sizeof *expected);
    check_fill(a, a_count, -2, 2);
    check_fill(b, (size_t)(rows * b_row), -4, 4);
    check_fill(out, out_count, -1, 1);
    for (int64_t i = 0; i < (int64_t)out_count; i++) {
        const int64_t row = i / out_row, c = i % out_row;
        expected[i] = c < channels ? (double)a[row * a_row + c] * oracle((double)b[row * b_row + c])
                                   : (double)out[i]; /* the gap stays */
    }
    pld_gate gate = {.kind = kind,
                     .a = a,
                     .b = b,
                     .a_row = a_row,
                     .b_row = b_row,
                     .rows = rows,
                     .channels = channels,
                     .out = out,
                     .out_row = out_row};
    kernels->gate(&gate);
    check_near("gate", out, expected, out_count, 1e-8, 2e-6);
    gate.out = a;
    gate.out_row = a_row;
    kernels->gate(&gate);
    for (int64_t row = 0; row < rows; row++) {
        check_same("gate in place", a + row * a_row, out + row * out_row, (size_t)channels * sizeof *a);
    }
    check_release();
}

void check_gate(const pld_kernels *kernels) {
    for (int64_t channels = 1; channels < 70; channels += 3) {
        gate_case(kernels, PLD_GATE_GELU, gelu_of, 3, channels);
        gate_case(kernels, PLD_GATE_GELU_TANH, gelu_tanh_of, 2, channels);
        gate_case(kernels, PLD_GATE_SILU, silu_of, 3, channels);
    }
    gate_case(kernels, PLD_GATE_SILU, silu_of, 40, 8); /* rows ahead are asked for */
}
