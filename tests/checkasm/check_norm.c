/* SPDX-License-Identifier: Apache-2.0 */
/* Normalisation against double: 2e-6 absolute on results of order one (a few roundings of float32). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "checkasm.h"
#include "kernels/group_norm.h"

static const int64_t widths[] = {1, 3, 8, 10, 16, 31, 40, 64, 77, 320};
enum { WIDTHS = sizeof widths / sizeof widths[0], MAX_COUNT = 64 * 1024 };

static double expected[MAX_COUNT];

void check_channel_moments(const pld_kernels *kernels) {
    for (int n = 0; n < WIDTHS; n++) {
        for (int64_t tokens = 1; tokens <= 64; tokens += 21) {
            int64_t channels = widths[n];
            size_t count = (size_t)(tokens * channels);
            float *x = check_floats(count);
            float *mean = check_floats((size_t)channels), *squares = check_floats((size_t)channels);
            check_fill(x, count, 99, 101); /* far from zero: naive sums of squares would lose all digits */
            kernels->channel_moments(x, tokens, channels, mean, squares);
            for (int64_t c = 0; c < channels; c++) {
                double sum = 0, total = 0;
                for (int64_t t = 0; t < tokens; t++) {
                    sum += (double)x[t * channels + c];
                }
                expected[0] = sum / (double)tokens;
                for (int64_t t = 0; t < tokens; t++) {
                    total += pow((double)x[t * channels + c] - expected[0], 2);
                }
                check_near("mean", &mean[c], expected, 1, 0, 4e-7);
                check_near("squares", &squares[c], &total, 1, 1e-6, 2e-5);
            }
        }
        check_release();
    }
}

void check_scale_shift(const pld_kernels *kernels) {
    for (int n = 0; n < WIDTHS * 2; n++) {
        int64_t channels = widths[n / 2];
        bool silu = n % 2;
        size_t count = (size_t)(5 * channels);
        float *x = check_floats(count), *out = check_floats(count);
        float *scale = check_floats((size_t)channels), *shift = check_floats((size_t)channels);
        check_fill(x, count, -3, 3);
        check_fill(scale, (size_t)channels, -2, 2);
        check_fill(shift, (size_t)channels, -2, 2);
        for (size_t i = 0; i < count; i++) {
            size_t c = i % (size_t)channels;
            double y = (double)scale[c] * (double)x[i] + (double)shift[c];
            expected[i] = silu ? y / (1 + exp(-y)) : y;
        }
        kernels->scale_shift(x, 5, channels, scale, shift, silu, out);
        check_near("scale_shift", out, expected, count, 1e-6, 1e-6);
        kernels->scale_shift(x, 5, channels, scale, shift, silu, x);
        check_same("in place", x, out, count * sizeof(float));
    }
}

static void check_row_norm(const pld_kernels *kernels, bool rms, bool affine) {
    for (int n = 0; n < WIDTHS; n++) {
        int64_t channels = widths[n];
        size_t count = (size_t)(3 * channels);
        float *x = check_floats(count), *out = check_floats(count);
        float *weight = check_floats((size_t)channels), *bias = check_floats((size_t)channels);
        check_fill(x, count, -1, 9);
        check_fill(weight, (size_t)channels, -1, 1);
        check_fill(bias, (size_t)channels, -1, 1);
        for (int64_t row = 0; row < 3; row++) {
            const float *in = x + row * channels;
            double mean = 0, squares = 0;
            for (int64_t c = 0; c < channels; c++) {
                mean += rms ? 0 : (double)in[c] / (double)channels;
            }
            for (int64_t c = 0; c < channels; c++) {
                squares += ((double)in[c] - mean) * ((double)in[c] - mean) / (double)channels;
            }
            for (int64_t c = 0; c < channels; c++) {
                double normal = ((double)in[c] - mean) / sqrt(squares + (double)1e-5F);
                expected[row * channels + c] = affine ? normal * (double)weight[c] : normal;
                expected[row * channels + c] += affine && !rms ? (double)bias[c] : 0;
            }
        }
        const float *w = affine ? weight : NULL, *b = affine ? bias : NULL;
        for (int in_place = 0; in_place < 2; in_place++) {
            float *to = in_place ? x : out;
            if (rms) {
                kernels->rms_norm(x, 3, channels, 1e-5F, w, to);
            } else {
                kernels->layer_norm(x, 3, channels, 1e-5F, w, b, to);
            }
            /* A single channel has variance 0: its distance from the mean is rounding,
             * divided by √epsilon. */
            check_near("row norm", to, expected, count, channels == 1 ? 1e-3 : 4e-6, 1e-6);
        }
    }
}

void check_layer_norm(const pld_kernels *kernels) {
    check_row_norm(kernels, false, true);
    check_row_norm(kernels, false, false);
}

void check_rms_norm(const pld_kernels *kernels) {
    check_row_norm(kernels, true, true);
    check_row_norm(kernels, true, false);
}

/** Norm of row `row`, in double. */
static void normal_row(const float *in, int64_t channels, bool rms, double *out) {
    double mean = 0, squares = 0;
    for (int64_t c = 0; c < channels; c++) {
        mean += rms ? 0 : (double)in[c] / (double)channels;
    }
    for (int64_t c = 0; c < channels; c++) {
        squares += ((double)in[c] - mean) * ((double)in[c] - mean) / (double)channels;
    }
    for (int64_t c = 0; c < channels; c++) {
        out[c] = ((double)in[c] - mean) / sqrt(squares + (double)1e-5F);
    }
}

/** ·weight·(1 + scale) + shift; `affine`: with weight and shift where they are optional. */
static void check_modulated(const pld_kernels *kernels, bool rms, bool affine) {
    enum { ROWS = 3 };
    for (int n = 1; n < WIDTHS; n++) { /* see check_row_norm for a single channel */
        const int64_t channels = widths[n];
        const size_t count = (size_t)(ROWS * channels);
        float *x = check_floats(count), *out = check_floats(count);
        float *weight = check_floats((size_t)channels), *scale = check_floats((size_t)channels),
              *shift = check_floats((size_t)channels);
        check_fill(x, count, -1, 9);
        check_fill(weight, (size_t)channels, -1, 1);
        check_fill(scale, (size_t)channels, -2, 2);
        check_fill(shift, (size_t)channels, -1, 1);
        for (int64_t i = 0; i < ROWS * channels; i++) {
            const int64_t c = i % channels;
            if (c == 0) {
                normal_row(x + i, channels, rms, expected + i);
            }
            expected[i] *= rms && affine ? (double)weight[c] : 1;
            expected[i] = expected[i] * (1 + (double)scale[c]) + (!rms || affine ? (double)shift[c] : 0);
        }
        for (int in_place = 0; in_place < 2; in_place++) {
            float *to = in_place ? x : out;
            if (rms) {
                kernels->rms_norm_modulated(x, ROWS, channels, 1e-5F, affine ? weight : NULL, scale,
                                            affine ? shift : NULL, to);
            } else {
                kernels->layer_norm_modulated(x, ROWS, channels, 1e-5F, scale, shift, to);
            }
            check_near("modulated norm", to, expected, count, 1.2e-5, 1e-6); /* 1 + scale is up to 3 */
        }
        check_release();
    }
}

void check_layer_norm_modulated(const pld_kernels *kernels) {
    check_modulated(kernels, false, true);
}

void check_rms_norm_modulated(const pld_kernels *kernels) {
    check_modulated(kernels, true, true);
    check_modulated(kernels, true, false);
}

static void group_norm_oracle(const pld_group_norm_problem *problem) {
    int64_t width = problem->channels / problem->groups;
    for (int64_t group = 0; group < problem->groups; group++) {
        double mean = 0, squares = 0, total = (double)(width * problem->tokens);
        for (int64_t i = 0; i < width * problem->tokens; i++) {
            mean += (double)problem->x[i / width * problem->channels + group * width + i % width] / total;
        }
        for (int64_t i = 0; i < width * problem->tokens; i++) {
            squares +=
                pow((double)problem->x[i / width * problem->channels + group * width + i % width] - mean, 2);
        }
        for (int64_t i = 0; i < width * problem->tokens; i++) {
            int64_t c = group * width + i % width, at = i / width * problem->channels + c;
            double y = ((double)problem->x[at] - mean) / sqrt(squares / total + (double)problem->epsilon);
            y = y * (problem->weight ? (double)problem->weight[c] : 1) +
                (problem->bias ? (double)problem->bias[c] : 0);
            expected[at] = problem->silu ? y / (1 + exp(-y)) : y;
        }
    }
}

void check_group_norm(const pld_kernels *kernels) {
    static const int64_t shapes[][3] = {{1, 32, 32}, {5, 8, 4}, {300, 40, 4}, {1024, 48, 16}, {129, 320, 32}};
    for (int n = 0; n < 5; n++) {
        int64_t tokens = shapes[n][0], channels = shapes[n][1], groups = shapes[n][2];
        size_t count = (size_t)(tokens * channels);
        float *x = check_floats(count), *out = check_floats(count), *again = check_floats(count);
        float *weight = check_floats((size_t)channels), *bias = check_floats((size_t)channels);
        check_fill(x, count, 3, 5);
        check_fill(weight, (size_t)channels, -1, 1);
        check_fill(bias, (size_t)channels, -1, 1);
        pld_group_norm_problem problem = {.x = x,
                                          .out = out,
                                          .tokens = tokens,
                                          .channels = channels,
                                          .groups = groups,
                                          .epsilon = 1e-5F,
                                          .weight = n % 2 ? NULL : weight,
                                          .bias = n % 2 ? NULL : bias,
                                          .silu = n % 3 == 1};
        group_norm_oracle(&problem);
        size_t bytes = pld_group_norm_scratch_size(channels, groups, 3);
        void *scratch = check_bytes((bytes + 7) / 8 * 8);
        pld_group_norm(kernels, &problem, 1, scratch);
        check_near("group norm", out, expected, count, tokens == 1 ? 1e-3 : 4e-6, 1e-6);
        problem.out = again;
        pld_group_norm(kernels, &problem, 3, scratch);
        check_same("3 threads", again, out, count * sizeof(float));
        check_release();
    }
}
