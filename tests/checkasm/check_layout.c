/* SPDX-License-Identifier: Apache-2.0 */
/* Sums and data movement: equal to the bit on every instruction set (one operation an element; add_scaled may
 * fuse its product and sum, so it gets one rounding of tolerance). */
#include <string.h>

#include "checkasm.h"

static const size_t counts[] = {1, 3, 7, 8, 15, 16, 31, 33, 64, 100, 1027};
enum { COUNTS = sizeof counts / sizeof counts[0] };

void check_add(const pld_kernels *kernels) {
    for (int n = 0; n < COUNTS; n++) {
        size_t count = counts[n];
        float *a = check_floats(count), *b = check_floats(count), *out = check_floats(count);
        check_fill(a, count, -2, 2);
        check_fill(b, count, -2, 2);
        kernels->add(a, b, count, out);
        for (size_t i = 0; i < count; i++) {
            assert_true(out[i] == a[i] + b[i]);
        }
        kernels->add(a, b, count, a);
        check_same("add in place", a, out, count * sizeof(float));
    }
}

void check_add_scaled(const pld_kernels *kernels) {
    for (int n = 0; n < COUNTS; n++) {
        size_t count = counts[n];
        float *a = check_floats(count), *b = check_floats(count), *out = check_floats(count);
        double expected[1027];
        check_fill(a, count, -2, 2);
        check_fill(b, count, -2, 2);
        for (size_t i = 0; i < count; i++) {
            expected[i] = (double)a[i] + 0.7F * (double)b[i];
        }
        kernels->add_scaled(a, b, 0.7F, count, out);
        check_near("add_scaled", out, expected, count, 2.4e-7, 0);
    }
}

void check_add_rows(const pld_kernels *kernels) {
    for (int n = 0; n < COUNTS - 1; n++) {
        size_t channels = counts[n];
        float *x = check_floats(5 * channels), *vector = check_floats(channels),
              *out = check_floats(5 * channels);
        check_fill(x, 5 * channels, -2, 2);
        check_fill(vector, channels, -2, 2);
        kernels->add_rows(x, 5, (int64_t)channels, vector, out);
        for (size_t i = 0; i < 5 * channels; i++) {
            assert_true(out[i] == x[i] + vector[i % channels]);
        }
    }
}

void check_gated_add(const pld_kernels *kernels) {
    for (int n = 0; n < COUNTS - 1; n++) {
        const size_t channels = counts[n], count = 5 * channels;
        float *x = check_floats(count), *gate = check_floats(channels), *residual = check_floats(count),
              *out = check_floats(count);
        double expected[500];
        check_fill(x, count, -2, 2);
        check_fill(gate, channels, -2, 2);
        check_fill(residual, count, -2, 2);
        for (size_t i = 0; i < count; i++) {
            expected[i] = (double)residual[i] + (double)gate[i % channels] * (double)x[i];
        }
        kernels->gated_add(residual, x, gate, 5, (int64_t)channels, out);
        check_near("gated_add", out, expected, count, 5e-7, 0);
        kernels->gated_add(residual, x, gate, 5, (int64_t)channels, residual);
        check_same("gated_add in place of the residual", residual, out, count * sizeof *out);
        check_release();
    }
}

/** The order of a token's numbers, by definition; back again gives the picture. */
static void patches_case(const pld_kernels *kernels, const pld_patch_grid *p) {
    const size_t count = (size_t)(p->channels * p->height * p->width);
    float *picture = check_floats(count), *tokens = check_floats(count), *back = check_floats(count);
    for (size_t i = 0; i < count; i++) {
        picture[i] = (float)i;
    }
    kernels->patchify(p, picture, tokens);
    for (int64_t i = 0; i < (int64_t)count; i++) {
        const int64_t c = p->channels_last ? i % p->channels : i / (p->height * p->width);
        const int64_t pixel = p->channels_last ? i / p->channels : i % (p->height * p->width);
        const int64_t y = pixel / p->width, x = pixel % p->width;
        const int64_t token = y / p->patch * (p->width / p->patch) + x / p->patch;
        const int64_t dy = y % p->patch, dx = x % p->patch;
        const int64_t number =
            p->channels_inner ? (dy * p->patch + dx) * p->channels + c : (c * p->patch + dy) * p->patch + dx;
        assert_true(tokens[token * p->patch * p->patch * p->channels + number] == picture[i]);
    }
    kernels->unpatchify(p, tokens, back);
    check_same("unpatchify", back, picture, count * sizeof *back);
    check_release();
}

void check_patchify(const pld_kernels *kernels) {
    for (int order = 0; order < 4; order++) {
        const bool last = order % 2, inner = order / 2;
        patches_case(kernels, &(pld_patch_grid){16, 6, 4, 2, last, inner});
        patches_case(kernels, &(pld_patch_grid){3, 6, 9, 3, last, inner});
        patches_case(kernels, &(pld_patch_grid){5, 2, 3, 1, last, inner});
        patches_case(kernels, &(pld_patch_grid){1, 4, 4, 4, last, inner});
    }
}

/** Picture by picture in check_patchify; here that nothing is written past the end of a single token. */
void check_unpatchify(const pld_kernels *kernels) {
    patches_case(kernels, &(pld_patch_grid){7, 2, 2, 2, true, false});
    patches_case(kernels, &(pld_patch_grid){7, 2, 2, 2, false, true});
}

/** Number `j` of those that small pixel (y, x) opens into, in the large picture. */
static int64_t opened_at(const pld_pixel_grid *g, int64_t y, int64_t x, int64_t j) {
    const int64_t all = g->factor * g->factor, corner = j % all;
    const int64_t row = y * g->factor + corner / g->factor, column = x * g->factor + corner % g->factor;
    return (row * g->factor * g->width + column) * g->large_channels + j / all;
}

/** By the definition of both directions, with a residual and in its place. */
static void pixels_case(const pld_kernels *kernels, const pld_pixel_grid *g, bool add) {
    const int64_t opened = g->factor * g->factor * g->large_channels, shared = opened / g->small_channels;
    const size_t small_count = (size_t)(g->height * g->width * g->small_channels);
    const size_t large_count = (size_t)(g->height * g->width * opened);
    float *small = check_floats(small_count), *large = check_floats(large_count);
    float *wide = check_floats(large_count), *narrow = check_floats(small_count);
    check_fill(small, small_count, -2, 2);
    check_fill(large, large_count, -2, 2);
    check_fill(wide, large_count, -2, 2);
    check_fill(narrow, small_count, -2, 2);
    float *before = check_floats(large_count), *before_small = check_floats(small_count);
    memcpy(before, wide, large_count * sizeof *before);
    memcpy(before_small, narrow, small_count * sizeof *before_small);
    kernels->pixel_shuffle(g, small, add ? wide : NULL, wide);
    kernels->pixel_unshuffle(g, large, add ? narrow : NULL, narrow);
    for (int64_t pixel = 0; pixel < g->height * g->width; pixel++) {
        for (int64_t n = 0; n < g->small_channels; n++) {
            const int64_t at = pixel * g->small_channels + n;
            double mean = 0;
            for (int64_t j = n * shared; j < (n + 1) * shared; j++) {
                const int64_t to = opened_at(g, pixel / g->width, pixel % g->width, j);
                assert_true(wide[to] == (add ? before[to] + small[at] : small[at]));
                mean += (double)large[to] / (double)shared;
            }
            mean += add ? (double)before_small[at] : 0;
            check_near("pixel_unshuffle", &narrow[at], &mean, 1, 1e-6, 0);
        }
    }
    check_release();
}

void check_pixel_shuffle(const pld_kernels *kernels) {
    /* height, width, factor, channels of the small and of the large picture */
    static const pld_pixel_grid grids[] = {{3, 2, 2, 20, 5}, {2, 3, 2, 10, 5}, {1, 4, 2, 9, 9},
                                           {2, 2, 2, 3, 12}, {2, 1, 1, 4, 32}, {1, 1, 3, 6, 4}};
    for (size_t i = 0; i < sizeof grids / sizeof *grids; i++) {
        pixels_case(kernels, &grids[i], false);
        pixels_case(kernels, &grids[i], true);
    }
}

/** Both directions in check_pixel_shuffle; here that nothing is written past the end of a single pixel. */
void check_pixel_unshuffle(const pld_kernels *kernels) {
    pixels_case(kernels, &(pld_pixel_grid){1, 1, 2, 7, 7}, true);
    pixels_case(kernels, &(pld_pixel_grid){1, 1, 1, 1, 31}, false);
}

void check_concat_channels(const pld_kernels *kernels) {
    for (int n = 0; n < COUNTS - 1; n++) {
        size_t a_channels = counts[n], b_channels = counts[COUNTS - 2 - n],
               channels = a_channels + b_channels;
        float *a = check_floats(3 * a_channels), *b = check_floats(3 * b_channels);
        float *out = check_floats(3 * channels);
        check_fill(a, 3 * a_channels, -2, 2);
        check_fill(b, 3 * b_channels, -2, 2);
        kernels->concat_channels(a, (int64_t)a_channels, b, (int64_t)b_channels, 3, out);
        for (size_t i = 0; i < 3 * channels; i++) {
            size_t token = i / channels, c = i % channels;
            assert_true(out[i] == (c < a_channels ? a[token * a_channels + c]
                                                  : b[token * b_channels + c - a_channels]));
        }
    }
}

void check_upsample_nearest(const pld_kernels *kernels) {
    static const int64_t sizes[][4] = {{2, 3, 4, 6}, {3, 5, 7, 9}, {4, 4, 5, 3}, {1, 1, 2, 2}};
    for (int n = 0; n < 4; n++) {
        int64_t height = sizes[n][0], width = sizes[n][1], out_height = sizes[n][2], out_width = sizes[n][3];
        int64_t channels = 5;
        float *in = check_floats((size_t)(height * width * channels));
        float *out = check_floats((size_t)(out_height * out_width * channels));
        check_fill(in, (size_t)(height * width * channels), -2, 2);
        kernels->upsample_nearest(in, height, width, channels, out_height, out_width, out);
        for (int64_t i = 0; i < out_height * out_width * channels; i++) {
            int64_t c = i % channels, x = i / channels % out_width, y = i / channels / out_width;
            int64_t source = (y * height / out_height * width + x * width / out_width) * channels + c;
            assert_true(out[i] == in[source]);
        }
    }
}

/** Rows of both sides with something between them, which must stay. */
void check_transpose(const pld_kernels *kernels) {
    static const int64_t sizes[][2] = {{1, 1}, {8, 8}, {16, 64}, {12, 64}, {7, 9}, {17, 33}, {64, 20}};
    for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++) {
        const int64_t rows = sizes[n][0], columns = sizes[n][1], in_row = columns + 3, out_row = rows + 5;
        float *in = check_floats((size_t)(rows * in_row));
        float *out = check_floats((size_t)(columns * out_row));
        check_fill(in, (size_t)(rows * in_row), -2, 2);
        check_fill(out, (size_t)(columns * out_row), 7, 7);
        kernels->transpose(in, in_row, rows, columns, out, out_row);
        for (int64_t i = 0; i < columns * out_row; i++) {
            const int64_t row = i % out_row, column = i / out_row;
            assert_true(out[i] == (row < rows ? in[row * in_row + column] : 7));
        }
    }
}

static void check_transposes(const pld_kernels *kernels, bool back) {
    static const int64_t sizes[][2] = {{1, 1}, {3, 7}, {4, 64}, {17, 33}, {320, 16}, {31, 100}};
    for (int n = 0; n < 6; n++) {
        int64_t channels = sizes[n][0], tokens = sizes[n][1];
        float *planes = check_floats((size_t)(channels * tokens)),
              *out = check_floats((size_t)(channels * tokens));
        check_fill(planes, (size_t)(channels * tokens), -2, 2);
        (back ? kernels->nhwc_to_nchw : kernels->nchw_to_nhwc)(planes, channels, tokens, out);
        for (int64_t c = 0; c < channels; c++) {
            for (int64_t t = 0; t < tokens; t++) {
                float plane = back ? out[c * tokens + t] : planes[c * tokens + t];
                assert_true(plane == (back ? planes[t * channels + c] : out[t * channels + c]));
            }
        }
    }
}

void check_nchw_to_nhwc(const pld_kernels *kernels) {
    check_transposes(kernels, false);
}

void check_nhwc_to_nchw(const pld_kernels *kernels) {
    check_transposes(kernels, true);
}
