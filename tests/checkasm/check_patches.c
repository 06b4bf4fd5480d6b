/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions as matrix products of patches against sums in double, on several threads. Tolerance: float32 sums of n
 * products of numbers up to 1 are within about n·2^-24 of exact. */
#include <stdlib.h>
#include <string.h>

#include "checkasm.h"
#include "kernels/matrix.h"

/** B pictures, N columns; pad_after only decides the size of the output. */
typedef struct patches_case {
    int64_t batch, height, width, channels, columns, kernel, stride, pad_before, pad_after;
    pld_panel_type type;
    bool bias, residual;
} patches_case;

static float *filled(size_t count) {
    float *x = check_floats(count);
    check_fill(x, count, -1, 1);
    return x;
}

static pld_matrix matrix_of(const patches_case *c) {
    const pld_patches patches = {
        .kernel = c->kernel,
        .stride = c->stride,
        .pad_before = c->pad_before,
        .height = c->height,
        .width = c->width,
        .channels = c->channels,
        .out_height = (c->height + c->pad_before + c->pad_after - c->kernel) / c->stride + 1,
        .out_width = (c->width + c->pad_before + c->pad_after - c->kernel) / c->stride + 1};
    return (pld_matrix){
        .weights = {c->type, c->columns, c->kernel * c->kernel * c->channels, 1, false},
        .rows = c->batch * patches.out_height * patches.out_width,
        .patches = patches,
    };
}

/** What one output pixel is, but for the bias: column n of output pixel `pixel` of all pictures. */
static double sum_of(const pld_matrix *matrix, const float *x, const float *weights, int64_t pixel,
                     int64_t n) {
    const pld_patches *p = &matrix->patches;
    const float *picture = x + pixel / (p->out_height * p->out_width) * p->height * p->width * p->channels;
    double sum = 0;
    for (int64_t k = 0; k < matrix->weights.depth; k++) {
        const int64_t channel = k % p->channels, tap = k / p->channels;
        const int64_t row =
            pixel / p->out_width % p->out_height * p->stride - p->pad_before + tap / p->kernel;
        const int64_t column = pixel % p->out_width * p->stride - p->pad_before + tap % p->kernel;
        if (row >= 0 && row < p->height && column >= 0 && column < p->width) {
            sum += (double)picture[(row * p->width + column) * p->channels + channel] *
                   (double)weights[n * matrix->weights.depth + k];
        }
    }
    return sum;
}

static void *aligned(size_t bytes) {
    void *memory = aligned_alloc(64, (bytes + 64) / 64 * 64);
    assert_non_null(memory);
    memset(memory, 0xff, (bytes + 64) / 64 * 64); /* NaN: nothing may be read before it is written */
    return memory;
}

static void run_case(const pld_kernels *kernels, const patches_case *c) {
    const pld_matrix matrix = matrix_of(c);
    const size_t count = (size_t)(matrix.rows * c->columns);
    const size_t weight_count = (size_t)(c->columns * matrix.weights.depth);
    float *x = filled((size_t)(c->batch * c->height * c->width * c->channels));
    float *weights = filled(weight_count);
    float *bias = filled((size_t)c->columns);
    float *first = filled(count);
    float *one = check_floats(count);
    for (size_t i = 0; i < weight_count; i++) {
        weights[i] = (float)(int)(weights[i] * 64) / 64; /* every type holds it */
    }
    void *packed = aligned(pld_panels_bytes(kernels, &matrix.weights));
    for (int64_t panel = 0; panel < pld_panel_count(kernels, &matrix.weights); panel++) {
        const int64_t at = pld_panel_first(kernels, &matrix.weights, panel) * matrix.weights.depth;
        pld_panels_pack(kernels, &matrix.weights, weights + at, panel, packed);
    }
    double *expected = calloc(count, sizeof *expected);
    assert_non_null(expected);
    for (size_t i = 0; i < count; i++) {
        const int64_t n = (int64_t)i % c->columns;
        expected[i] = sum_of(&matrix, x, weights, (int64_t)i / c->columns, n) +
                      (c->bias ? (double)bias[n] : 0) + (c->residual ? (double)first[i] : 0);
    }
    for (int threads = 1; threads <= 7; threads += 2) {
        float *out = check_floats(count);
        void *scratch = aligned(pld_matrix_scratch(kernels, &matrix, threads));
        memcpy(out, first, count * sizeof *out);
        pld_matrix_run(kernels, &matrix, threads,
                       &(pld_matrix_operands){.left = x,
                                              .packed = packed,
                                              .bias = c->bias ? bias : NULL,
                                              .residual = c->residual ? (threads == 3 ? first : out) : NULL,
                                              .out = out,
                                              .scratch = scratch});
        check_near("patches", out, expected, count, 6e-8 * (double)(matrix.weights.depth + 4), 0);
        if (threads == 1) {
            memcpy(one, out, count * sizeof *out);
        }
        check_same("patches on several threads", out, one, count * sizeof *out);
        free(scratch);
    }
    free(expected);
    free(packed);
    check_release();
}

void check_patches(const pld_kernels *kernels) {
    static const patches_case cases[] = {
        {2, 9, 13, 4, 40, 3, 1, 1, 1, PLD_PANEL_F32, true, false},  /* from latents, rows over two pictures */
        {1, 16, 16, 32, 64, 3, 2, 1, 1, PLD_PANEL_F16, true, true}, /* a downsampler */
        {1, 17, 15, 33, 20, 3, 2, 0, 1, PLD_PANEL_BF16, true,
         false}, /* the autoencoder's, which pads at the end */
        {2, 7, 5, 130, 150, 3, 2, 1, 1, PLD_PANEL_F32, false,
         true}, /* pieces of the depth end within a line */
        {1, 40, 40, 3, 17, 7, 4, 3, 3, PLD_PANEL_F32, true,
         false},                                                   /* a kernel larger than the edge is wide */
        {1, 3, 3, 5, 9, 5, 1, 2, 2, PLD_PANEL_F32, true, false},   /* and larger than the picture */
        {1, 6, 4, 16, 24, 2, 2, 0, 0, PLD_PANEL_F32, true, false}, /* patches of a transformer */
        {3, 5, 5, 7, 3, 1, 1, 0, 0, PLD_PANEL_F32, true, true},
        {1, 1, 1, 1, 1, 3, 2, 1, 1, PLD_PANEL_F32, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_case(kernels, &cases[i]);
    }
}
