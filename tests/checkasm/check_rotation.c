/* SPDX-License-Identifier: Apache-2.0 */
/* Norm and rotation of queries and keys against double. Bound: numbers of order one after the norm take a few
 * roundings, 4e-6 as other norms, times the weight and the two products of a rotation. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "checkasm.h"

/** What the norm makes of number `i` of a row. */
static double normed(const pld_head_rotation *r, const float *row, int64_t i) {
    const int64_t size = r->head_size, all = r->heads * size;
    const bool each = r->norm == PLD_HEAD_NORM_EACH;
    const int64_t first = each ? i / size * size : 0, count = each ? size : all;
    double squares = 0;
    for (int64_t n = first; n < first + count; n++) {
        squares += (double)row[n] * (double)row[n] / (double)count;
    }
    if (r->norm == PLD_HEAD_NORM_NONE) {
        return (double)row[i];
    }
    return (double)row[i] / sqrt(squares + (double)r->epsilon) *
           (r->weight ? (double)r->weight[i - first] : 1);
}

/** Number `i` of a head is the real part, or with `*imaginary` the imaginary one, of pair *pair. */
static bool pair_of(const pld_head_rotation *r, int64_t i, int64_t *pair, bool *imaginary) {
    const int64_t half = r->width / 2;
    *pair = r->halves ? i % (half ? half : 1) : i / 2;
    *imaginary = r->halves ? i >= half : i % 2 != 0;
    return i < r->width;
}

static double turned(const pld_head_rotation *r, int64_t token, const float *row, int64_t i) {
    const int64_t first = i / r->head_size * r->head_size;
    int64_t pair;
    bool imaginary;
    if (!pair_of(r, i - first, &pair, &imaginary)) {
        return normed(r, row, i);
    }
    const int64_t apart = r->halves ? r->width / 2 : 1;
    const double real = normed(r, row, imaginary ? i - apart : i);
    const double other = normed(r, row, imaginary ? i : i + apart);
    const double cosine = (double)r->cos[token * (r->width / 2) + pair];
    const double sine = (double)r->sin[token * (r->width / 2) + pair];
    return imaginary ? other * cosine + real * sine : real * cosine - other * sine;
}

static void rotation_case(const pld_kernels *kernels, pld_head_rotation r) {
    const int64_t numbers = (int64_t)r.heads * r.head_size;
    r.x_row = numbers + 5;
    r.out_row = numbers + 2;
    const size_t count = (size_t)((r.tokens - 1) * r.x_row + numbers);
    const size_t out_count = (size_t)((r.tokens - 1) * r.out_row + numbers);
    const size_t angles = (size_t)(r.tokens * (r.width / 2));
    float *x = check_floats(count), *out = check_floats(out_count), *weight = check_floats((size_t)numbers);
    float *cosines = check_floats(angles), *sines = check_floats(angles);
    double *expected = calloc((size_t)numbers, sizeof *expected);
    assert_non_null(expected);
    check_fill(x, count, -3, 3);
    check_fill(weight, (size_t)numbers, -1.5, 1.5);
    for (size_t i = 0; i < angles; i++) {
        const double angle = check_random(-9, 9);
        cosines[i] = (float)cos(angle);
        sines[i] = (float)sin(angle);
    }
    r.x = x;
    r.out = out;
    r.weight = r.weight ? weight : NULL;
    r.cos = cosines;
    r.sin = sines;
    kernels->rotate_heads(&r);
    for (int64_t token = 0; token < r.tokens; token++) {
        for (int64_t i = 0; i < numbers; i++) {
            expected[i] = turned(&r, token, x + token * r.x_row, i);
        }
        check_near("rotate_heads", out + token * r.out_row, expected, (size_t)numbers, 8e-6, 1e-6);
    }
    r.out = x;
    r.out_row = r.x_row;
    kernels->rotate_heads(&r);
    for (int64_t token = 0; token < r.tokens; token++) {
        check_same("rotate_heads in place", x + token * r.x_row, out + token * (numbers + 2),
                   (size_t)numbers * sizeof *x);
    }
    free(expected);
    check_release();
}

void check_rotate_heads(const pld_kernels *kernels) {
    static const int sizes[][2] = {{128, 128}, {64, 64}, {256, 256}, {40, 40}, {10, 6},     {72, 36},
                                   {2, 2},     {7, 0},   {128, 64},  {34, 34}, {1024, 1024}};
    static const float any = 1;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int norm = PLD_HEAD_NORM_NONE; norm <= PLD_HEAD_NORM_ALL; norm++) {
            for (int halves = 0; halves < 2; halves++) {
                const pld_head_rotation r = {.tokens = 3,
                                             .heads = 1 + (int)(i % 3),
                                             .head_size = sizes[i][0],
                                             .norm = (pld_head_norm)norm,
                                             .weight = (norm + (int)i) % 3 ? &any : NULL,
                                             .epsilon = 1e-6F,
                                             .width = sizes[i][1],
                                             .halves = halves};
                rotation_case(kernels, r);
            }
        }
    }
}
