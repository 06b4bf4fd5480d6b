/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise convolution and linear attention against double. Bounds: nine products, or 25, of numbers up to 2, a few
 * roundings each, and a sigmoid; of linear attention sums of positive products relative to their size. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "checkasm.h"
#include "kernels/depthwise.h"
#include "kernels/linear_attention.h"

static float *filled(size_t count) {
    float *x = check_floats(count);
    check_fill(x, count, -1, 1);
    return x;
}

/** Channel c of a pixel of one picture. */
static double convolved(const pld_depthwise *d, const float *x, int64_t y, int64_t column, int64_t c) {
    double sum = d->bias ? (double)d->bias[c] : 0;
    for (int64_t tap = 0; tap < d->side * d->side; tap++) {
        const int64_t from_y = y + tap / d->side - d->side / 2;
        const int64_t from_x = column + tap % d->side - d->side / 2;
        if (from_y >= 0 && from_y < d->height && from_x >= 0 && from_x < d->width) {
            sum += (double)d->weights[tap * d->channels + c] *
                   (double)x[(from_y * d->width + from_x) * d->channels + c];
        }
    }
    return sum;
}

static void depthwise_case(const pld_kernels *kernels, pld_depthwise d, bool bias) {
    const int64_t pixels = d.height * d.width;
    const int64_t channels = d.gated ? d.channels / 2 : d.channels;
    const size_t count = (size_t)(d.batch * pixels * channels);
    d.x = filled((size_t)(d.batch * pixels * d.channels));
    d.weights = filled((size_t)(d.side * d.side * d.channels));
    d.bias = bias ? filled((size_t)d.channels) : NULL;
    double *expected = calloc(count, sizeof *expected);
    assert_non_null(expected);
    for (int64_t i = 0; i < (int64_t)count; i++) {
        const int64_t pixel = i / channels % pixels, c = i % channels;
        const float *x = d.x + i / channels / pixels * pixels * d.channels;
        expected[i] = convolved(&d, x, pixel / d.width, pixel % d.width, c);
        if (d.gated) {
            const double z = convolved(&d, x, pixel / d.width, pixel % d.width, c + channels);
            expected[i] *= z / (1 + exp(-z));
        }
    }
    float *one = check_floats(count), *many = check_floats(count);
    d.out = one;
    pld_depthwise_run(kernels, &d, 1);
    check_near("depthwise", one, expected, count, 1e-5, 1e-6);
    d.out = many;
    pld_depthwise_run(kernels, &d, 3);
    check_same("depthwise, 3 threads", many, one, count * sizeof *one);
    free(expected);
    check_release();
}

void check_depthwise_row(const pld_kernels *kernels) {
    static const int64_t shapes[][3] = {{1, 1, 1},   {5, 7, 3},   {18, 4, 40},
                                        {2, 9, 150}, {3, 2, 300}, {1, 6, 16}};
    for (int i = 0; i < 6; i++) {
        const int64_t height = shapes[i][0], width = shapes[i][1], channels = shapes[i][2];
        for (int64_t side = 3; side <= 5; side += 2) {
            depthwise_case(kernels, (pld_depthwise){1 + i % 2, height, width, channels, .side = side},
                           i % 2 == 0);
            depthwise_case(
                kernels, (pld_depthwise){1 + i % 2, height, width, 2 * channels, .gated = true, .side = side},
                i % 2);
        }
    }
}

static double positive(float x) {
    return x > 0 ? (double)x : 0;
}

/** Row `token` of a head by the definition: every weight relu(q)·relu(k), no sums of outer products. */
static void linear_row(const pld_linear_attention *a, int64_t at, int64_t token, double *out) {
    const float *query = a->query + at + token * a->token_stride;
    double total = (double)a->epsilon;
    memset(out, 0, (size_t)a->head_size * sizeof *out);
    for (int64_t other = 0; other < a->tokens; other++) {
        const float *key = a->key + at + other * a->token_stride;
        const float *value = a->value + at + other * a->token_stride;
        double weight = 0;
        for (int i = 0; i < a->head_size; i++) {
            weight += positive(query[i]) * positive(key[i]);
        }
        total += weight;
        for (int c = 0; c < a->head_size; c++) {
            out[c] += weight * (double)value[c];
        }
    }
    for (int c = 0; c < a->head_size; c++) {
        out[c] /= total;
    }
}

/** Query, key and value of a head side by side, as the autoencoder has them. */
static void linear_case(const pld_kernels *kernels, int heads, int head_size, int64_t tokens) {
    const int64_t width = 3L * heads * head_size, out_width = (int64_t)heads * head_size;
    float *x = filled((size_t)(2 * tokens * width));
    pld_linear_attention a = {.batch = 2,
                              .tokens = tokens,
                              .heads = heads,
                              .head_size = head_size,
                              .query = x,
                              .key = x + head_size,
                              .value = x + 2L * head_size,
                              .batch_stride = tokens * width,
                              .token_stride = width,
                              .head_stride = 3L * head_size,
                              .out_batch_stride = tokens * out_width,
                              .out_token_stride = out_width,
                              .out_head_stride = head_size,
                              .epsilon = 1e-15F};
    for (int i = 0; i < head_size; i++) {
        x[i] = -1; /* a query that lets nothing through: zeros */
    }
    const size_t count = (size_t)(2 * tokens * out_width);
    float *one = check_floats(count), *many = check_floats(count);
    double expected[256];
    for (int threads = 1; threads <= 3; threads += 2) {
        void *scratch = aligned_alloc(64, pld_linear_attention_scratch(&a, threads));
        assert_non_null(scratch);
        a.out = threads == 1 ? one : many;
        pld_linear_attention_run(kernels, &a, threads, scratch);
        free(scratch);
    }
    check_same("linear attention, 3 threads", many, one, count * sizeof *one);
    for (int64_t i = 0; i < 2 * tokens * heads; i++) {
        const int64_t head = i % heads, token = i / heads % tokens, b = i / heads / tokens;
        linear_row(&a, b * a.batch_stride + head * a.head_stride, token, expected);
        check_near("linear attention", one + i * head_size, expected, (size_t)head_size, 4e-6, 1e-6);
    }
    check_release();
}

void check_linear_attention_sums(const pld_kernels *kernels) {
    static const int head_sizes[] = {1, 5, 8, 16, 32, 33, 112};
    static const int64_t tokens[] = {1, 3, 64, 130, 300};
    for (int h = 0; h < 7; h++) {
        for (int t = h % 2; t < 5; t += 2) {
            linear_case(kernels, 1 + (h + t) % 3, head_sizes[h], tokens[t]);
        }
    }
}

/** One token sees its own value alone, as exactly as a division gives it. */
void check_linear_attention_rows(const pld_kernels *kernels) {
    enum { SIZE = 24 };
    float *x = filled(2 * SIZE), *sums = check_floats(pld_linear_sums(SIZE)), *out = check_floats(SIZE);
    memset(sums, 0, pld_linear_sums(SIZE) * sizeof *sums);
    for (int i = 0; i < SIZE; i++) {
        x[i] = fabsf(x[i]);
    }
    pld_linear_tokens tokens = {.query = x,
                                .key = x,
                                .value = x + SIZE,
                                .tokens = 1,
                                .head_size = SIZE,
                                .sums = sums,
                                .epsilon = 1e-15F,
                                .out = out,
                                .out_stride = SIZE};
    kernels->linear_attention_sums(&tokens);
    kernels->linear_attention_rows(&tokens);
    for (int i = 0; i < SIZE; i++) {
        assert_true(fabsf(out[i] - x[SIZE + i]) < 1e-6F);
    }
}
