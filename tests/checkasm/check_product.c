/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products with packed panels and Winograd's convolution: kernels against the scalar ones and sums in
 * double, whole layers against sums in double. Tolerances: float32 sums of n products of numbers up to 1 are
 * within about n·2^-24 of exact; the transforms of F(4x4, 3x3) add a factor of a few. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "checkasm.h"
#include "kernels/grouped.h"
#include "kernels/matrix.h"
#include "kernels/winograd/winograd.h"

static float *filled(size_t count) {
    float *x = check_floats(count);
    check_fill(x, count, -1, 1);
    return x;
}

static double *doubles(size_t count) {
    double *x = calloc(count, sizeof *x);
    assert_non_null(x);
    return x;
}

void check_panel_columns(const pld_kernels *kernels) {
    assert_true(kernels->panel_columns() >= 8 && kernels->panel_columns() <= 64);
    assert_true(kernels->panel_columns() % 8 == 0);
}

/** What stands around a product. */
typedef struct around {
    bool bias, accumulate, gate;
    int64_t gate_rows; /* of a matrix: rows of a gate, 0: all */
} around;

/** One product of `rows` × `depth` with `columns` of a panel. */
static void panel_case(const pld_kernels *kernels, int64_t rows, int64_t depth, int64_t columns,
                       around with) {
    const int64_t width = kernels->panel_columns();
    const int64_t left_row = depth + 3;
    const int64_t out_row = columns + 5;
    float *left = filled((size_t)((rows - 1) * left_row + depth));
    float *panel = filled((size_t)(depth * width));
    float *more = filled((size_t)columns);
    float *gate = filled((size_t)columns);
    float *out = filled((size_t)((rows - 1) * out_row + columns));
    double *expected = doubles((size_t)((rows - 1) * out_row + columns));
    for (int64_t i = 0; i < (rows - 1) * out_row + columns; i++) {
        int64_t row = i / out_row;
        int64_t n = i % out_row;
        expected[i] = (double)out[i];
        if (n < columns) {
            double sum = with.bias ? (double)more[n] : 0;
            for (int64_t k = 0; k < depth; k++) {
                sum += (double)left[row * left_row + k] * (double)panel[k * width + n];
            }
            expected[i] = (with.gate ? (double)gate[n] * sum : sum) + (with.accumulate ? (double)out[i] : 0);
        }
    }
    kernels->panel_product(&(pld_panel_product){left,
                                                left_row,
                                                rows,
                                                depth,
                                                panel,
                                                {with.bias ? more : NULL, with.gate ? gate : NULL,
                                                 with.accumulate ? out : NULL, out, out_row, columns}});
    check_near("panel_product", out, expected, (size_t)((rows - 1) * out_row + columns),
               6e-8 * (double)(depth + 4), 0);
    free(expected);
    check_release();
}

void check_panel_product(const pld_kernels *kernels) {
    static const int64_t rows[] = {1, 2, 5, 6, 7, 11, 12, 13, 23, 31};
    static const int64_t depths[] = {1, 3, 64, 257};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        for (size_t d = 0; d < sizeof depths / sizeof *depths; d++) {
            int64_t full = kernels->panel_columns();
            for (int gate = 0; gate < 2; gate++) {
                panel_case(kernels, rows[r], depths[d], full, (around){.bias = true, .gate = gate});
                panel_case(kernels, rows[r], depths[d], full, (around){.accumulate = true, .gate = gate});
                panel_case(kernels, rows[r], depths[d], full - 1, (around){true, true, gate, 0});
                panel_case(kernels, rows[r], depths[d], full / 2, (around){.gate = gate});
                panel_case(kernels, rows[r], depths[d], 1, (around){.bias = true, .gate = gate});
            }
        }
    }
}

void check_winograd_weights(const pld_kernels *kernels) {
    enum { DEPTH = 5, POINTS = 36 };
    const int64_t width = kernels->panel_columns();
    const int64_t step = DEPTH * width + 16;
    float *weights = filled((size_t)(DEPTH * 9 * width));
    float *out = filled((size_t)(POINTS * step));
    float *expected = check_floats((size_t)(POINTS * step));
    memcpy(expected, out, (size_t)(POINTS * step) * sizeof *out);
    check_scalar()->winograd_weights(weights, DEPTH, width, expected, step);
    kernels->winograd_weights(weights, DEPTH, width, out, step);
    double *wanted = doubles((size_t)(POINTS * step));
    for (int64_t i = 0; i < POINTS * step; i++) {
        wanted[i] = (double)expected[i];
    }
    check_near("winograd_weights", out, wanted, (size_t)(POINTS * step), 1e-6, 0);
    free(wanted);
}

void check_winograd_input(const pld_kernels *kernels) {
    static const int64_t counts[] = {1, 7, 8, 16, 21, 64};
    for (size_t n = 0; n < sizeof counts / sizeof *counts; n++) {
        const int64_t channels = counts[n];
        const int64_t step = channels + 3;
        float *pixels = filled((size_t)(36 * channels));
        float *out = filled((size_t)(35 * step + channels));
        float *scalar = check_floats((size_t)(35 * step + channels));
        memcpy(scalar, out, (size_t)(35 * step + channels) * sizeof *out);
        pld_winograd_input tile = {.channels = channels, .out = scalar, .step = step};
        for (int64_t i = 0; i < 36; i++) {
            tile.pixels[i] = pixels + (i * 7 % 36) * channels;
        }
        check_scalar()->winograd_input(&tile);
        tile.out = out;
        kernels->winograd_input(&tile);
        double *wanted = doubles((size_t)(35 * step + channels));
        for (int64_t i = 0; i < 35 * step + channels; i++) {
            wanted[i] = (double)scalar[i];
        }
        check_near("winograd_input", out, wanted, (size_t)(35 * step + channels), 1e-5, 0);
        free(wanted);
        check_release();
    }
}

void check_winograd_output(const pld_kernels *kernels) {
    static const int64_t counts[] = {1, 7, 8, 16, 21, 64};
    for (size_t n = 0; n < 2 * sizeof counts / sizeof *counts; n++) {
        const int64_t channels = counts[n / 2];
        const int64_t step = channels + 3;
        float *products = filled((size_t)(35 * step + channels));
        float *bias = filled((size_t)channels);
        float *out = filled((size_t)(16 * channels));
        float *scalar = check_floats((size_t)(16 * channels));
        memcpy(scalar, out, (size_t)(16 * channels) * sizeof *out);
        pld_winograd_output tile = {.products = products,
                                    .step = step,
                                    .channels = channels,
                                    .bias = bias,
                                    .add_residual = n % 2 != 0};
        for (int pass = 0; pass < 2; pass++) {
            for (int64_t i = 0; i < 16; i++) {
                tile.pixels[i] = i % 5 == 3 ? NULL : (pass ? out : scalar) + i * channels;
                tile.residual[i] = products + i * step;
            }
            (pass ? kernels : check_scalar())->winograd_output(&tile);
        }
        double *wanted = doubles((size_t)(16 * channels));
        for (int64_t i = 0; i < 16 * channels; i++) {
            wanted[i] = (double)scalar[i];
        }
        check_near("winograd_output", out, wanted, (size_t)(16 * channels), 3e-5, 0);
        free(wanted);
        check_release();
    }
}

/** Weights that every type holds exactly, packed. */
static void *packed_weights(const pld_kernels *kernels, const pld_panels *shape, float *weights) {
    size_t count = (size_t)(shape->columns * shape->depth * shape->taps);
    for (size_t i = 0; i < count; i++) {
        weights[i] = roundf(weights[i] * 64) / 64; /* 7 bits */
    }
    void *packed = aligned_alloc(64, (pld_panels_bytes(kernels, shape) + 63) / 64 * 64);
    assert_non_null(packed);
    for (int64_t panel = 0; panel < pld_panel_count(kernels, shape); panel++) {
        const int64_t first = pld_panel_first(kernels, shape, panel) * shape->depth * shape->taps;
        pld_panels_pack(kernels, shape, weights + first, panel, packed);
    }
    return packed;
}

static void *scratch_of(size_t bytes) {
    void *scratch = aligned_alloc(64, (bytes + 64) / 64 * 64);
    assert_non_null(scratch);
    memset(scratch, 0xff, (bytes + 64) / 64 * 64); /* NaN: nothing may be read before it is written */
    return scratch;
}

static void matrix_case(const pld_kernels *kernels, const pld_matrix *matrix, around with) {
    const int64_t n = matrix->weights.columns;
    const int64_t depth = matrix->weights.depth;
    const int64_t rows = matrix->rows;
    float *left = filled((size_t)(rows * depth));
    float *weights = filled((size_t)(n * depth));
    float *bias = filled((size_t)n);
    const int64_t gate_rows = with.gate_rows ? with.gate_rows : rows;
    const int64_t gate_step = n + 3;
    float *gate = filled((size_t)(((rows - 1) / gate_rows + 1) * gate_step));
    float *first = filled((size_t)(rows * n));
    void *packed = packed_weights(kernels, &matrix->weights, weights);
    double *expected = doubles((size_t)(rows * n));
    for (int64_t i = 0; i < rows * n; i++) {
        double sum = with.bias ? (double)bias[i % n] : 0;
        for (int64_t k = 0; k < depth; k++) {
            sum += (double)left[i / n * depth + k] * (double)weights[i % n * depth + k];
        }
        const double factor = with.gate ? (double)gate[i / n / gate_rows * gate_step + i % n] : 1;
        expected[i] = factor * sum + (with.accumulate ? (double)first[i] : 0);
    }
    float *one = check_floats((size_t)(rows * n));
    for (int threads = 1; threads <= 5; threads += 2) {
        float *out = check_floats((size_t)(rows * n));
        void *scratch = scratch_of(pld_matrix_scratch(kernels, matrix, threads));
        /* the residual may be the output itself */
        memcpy(out, first, (size_t)(rows * n) * sizeof *out);
        const float *added = threads == 3 ? first : out;
        pld_matrix_run(kernels, matrix, threads,
                       &(pld_matrix_operands){.left = left,
                                              .packed = packed,
                                              .bias = with.bias ? bias : NULL,
                                              .residual = with.accumulate ? added : NULL,
                                              .out = out,
                                              .scratch = scratch,
                                              .gate = with.gate ? gate : NULL,
                                              .gate_rows = with.gate_rows,
                                              .gate_step = gate_step});
        check_near("matrix", out, expected, (size_t)(rows * n), 6e-8 * (double)(depth + 4), 0);
        if (threads == 1) {
            memcpy(one, out, (size_t)(rows * n) * sizeof *out);
        }
        check_same("matrix on several threads", out, one, (size_t)(rows * n) * sizeof *out);
        free(scratch);
    }
    free(expected);
    free(packed);
    check_release();
}

/** A gate in the layer gives the bits of one after it: every sum is the same. So do halves that are stored
 * apart. */
static void gated_case(const pld_kernels *kernels, pld_panel_type type, pld_gating gating, int64_t half,
                       int64_t depth, int64_t rows) {
    pld_matrix matrix = {.weights = {type, 2 * half, depth, 1, false}, .rows = rows, .gating = gating};
    float *left = filled((size_t)(rows * depth));
    float *weights = filled((size_t)(2 * half * depth));
    float *bias = filled((size_t)(2 * half));
    float *whole = check_floats((size_t)(rows * 2 * half));
    float *expected = check_floats((size_t)(rows * half));
    void *packed = packed_weights(kernels, &matrix.weights, weights);
    void *scratch = scratch_of(pld_matrix_scratch(kernels, &matrix, 1));
    pld_matrix_run(kernels, &matrix, 1,
                   &(pld_matrix_operands){
                       .left = left, .packed = packed, .bias = bias, .out = whole, .scratch = scratch});
    pld_gate_halves(kernels, gating, whole, rows, half, expected, half);
    free(scratch);
    free(packed);
    matrix.weights.halves = true;
    packed = packed_weights(kernels, &matrix.weights, weights);
    for (int threads = 1; threads <= 5; threads += 2) {
        float *out = check_floats((size_t)(rows * half));
        scratch = scratch_of(pld_matrix_scratch(kernels, &matrix, threads));
        pld_matrix_run(kernels, &matrix, threads,
                       &(pld_matrix_operands){
                           .left = left, .packed = packed, .bias = bias, .out = out, .scratch = scratch});
        check_same("matrix with a gate", out, expected, (size_t)(rows * half) * sizeof *out);
        free(scratch);
    }
    const size_t bytes = pld_panels_bytes(kernels, &matrix.weights);
    void *apart = check_bytes(bytes);
    /* the first may not be read where the second stands */
    float *second = check_floats((size_t)(half * depth));
    memcpy(second, weights + half * depth, (size_t)(half * depth) * sizeof *second);
    memset(weights + half * depth, 0xff, (size_t)(half * depth) * sizeof *second);
    for (int64_t panel = 0; panel < pld_panel_count(kernels, &matrix.weights); panel++) {
        pld_panels_pack_halves(kernels, &matrix.weights, weights, second, panel, apart);
    }
    check_same("halves stored apart", apart, packed, bytes);
    free(packed);
    check_release();
}

void check_matrix(const pld_kernels *kernels) {
    for (int i = PLD_PANEL_F32; i <= PLD_PANEL_BF16; i++) {
        const pld_panel_type type = (pld_panel_type)i;
        matrix_case(kernels, &(pld_matrix){.weights = {type, 40, 20, 1, false}, .rows = 500},
                    (around){.bias = true});
        matrix_case(kernels, &(pld_matrix){.weights = {type, 75, 340, 1, false}, .rows = 7},
                    (around){.bias = true, .accumulate = true});
        matrix_case(kernels, &(pld_matrix){.weights = {type, 3, 513, 1, false}, .rows = 1},
                    (around){.bias = true});
        matrix_case(kernels, &(pld_matrix){.weights = {type, 75, 340, 1, false}, .rows = 17},
                    (around){true, true, true, 0});
        matrix_case(kernels, &(pld_matrix){.weights = {type, 20, 340, 1, false}, .rows = 510},
                    (around){true, true, true, 170}); /* pictures end within blocks and between threads */
        matrix_case(kernels, &(pld_matrix){.weights = {type, 40, 700, 1, false}, .rows = 250},
                    (around){.gate = true});
        gated_case(kernels, type, (pld_gating){PLD_GATE_GELU, false}, 128, 32, 250);
        gated_case(kernels, type, (pld_gating){PLD_GATE_GELU_TANH, true}, 75, 340, 7);
        gated_case(kernels, type, (pld_gating){PLD_GATE_SILU, true}, 75, 341, 9);
        gated_case(kernels, type, (pld_gating){PLD_GATE_SILU, false}, 1, 5, 300);
    }
}

/** What a case adds around the convolution. */
typedef struct winograd_extras {
    bool bias, vector, residual;
} winograd_extras;

static const float input_epsilon = 1e-6F;

/** x', in double: x changed, by the same kernels, or upsampled as `conv` says, [B, H, W, C]. */
static double *inputs_of(const pld_kernels *kernels, const pld_winograd *conv, const float *x,
                         const float *factors) {
    const int64_t depth = conv->weights.depth, all = conv->batch * conv->source_height * conv->source_width;
    double *inputs = doubles((size_t)(conv->batch * conv->height * conv->width * depth));
    float *changed = check_floats((size_t)(all * depth));
    const pld_convolution_operands operands = {
        .scale = factors, .shift = factors + depth, .factor_step = 2 * depth, .epsilon = input_epsilon};
    memcpy(changed, x, (size_t)(all * depth) * sizeof *changed);
    for (int64_t picture = 0; conv->input && picture < conv->batch; picture++) {
        float *own = changed + picture * all / conv->batch * depth;
        pld_change_input(kernels, &operands, conv->input, picture, own, all / conv->batch, depth, own);
    }
    for (int64_t i = 0; i < conv->batch * conv->height * conv->width * depth; i++) {
        const int64_t column = i / depth % conv->width * conv->source_width / conv->width;
        const int64_t row = i / depth / conv->width % conv->height * conv->source_height / conv->height;
        const int64_t picture = i / depth / conv->width / conv->height;
        inputs[i] =
            (double)changed[((picture * conv->source_height + row) * conv->source_width + column) * depth +
                            i % depth];
    }
    return inputs;
}

/** The convolution's value at output channel n of the pixel (picture, y, x). */
static double convolved(const pld_winograd *conv, const double *x, const float *weights, int64_t picture,
                        int64_t y, int64_t column, int64_t n) {
    const int64_t depth = conv->weights.depth;
    double sum = 0;
    for (int64_t tap = 0; tap < 9; tap++) {
        int64_t from_y = y + tap / 3 - 1;
        int64_t from_x = column + tap % 3 - 1;
        if (from_y < 0 || from_y >= conv->height || from_x < 0 || from_x >= conv->width) {
            continue;
        }
        const double *pixel = x + ((picture * conv->height + from_y) * conv->width + from_x) * depth;
        for (int64_t c = 0; c < depth; c++) {
            sum += pixel[c] * (double)weights[(n * depth + c) * 9 + tap];
        }
    }
    return sum;
}

static void winograd_case(const pld_kernels *kernels, const pld_winograd *conv, winograd_extras extras) {
    const int64_t n = conv->weights.columns;
    const int64_t depth = conv->weights.depth;
    const int64_t pixels = conv->batch * conv->height * conv->width;
    float *x = filled((size_t)(conv->batch * conv->source_height * conv->source_width * depth));
    float *factors = filled((size_t)(conv->batch * 2 * depth));
    float *weights = filled((size_t)(n * depth * 9));
    float *bias = filled((size_t)n);
    float *vector = filled((size_t)(conv->batch * n));
    float *first = filled((size_t)(pixels * n));
    void *packed = packed_weights(kernels, &conv->weights, weights);
    double *inputs = inputs_of(kernels, conv, x, factors);
    double *expected = doubles((size_t)(pixels * n));
    for (int64_t i = 0; i < pixels * n; i++) {
        int64_t at = i / n % (conv->height * conv->width);
        int64_t picture = i / n / (conv->height * conv->width);
        expected[i] = (extras.bias ? (double)bias[i % n] : 0) +
                      (extras.vector ? (double)vector[picture * n + i % n] : 0) +
                      (extras.residual ? (double)first[i] : 0) +
                      convolved(conv, inputs, weights, picture, at / conv->width, at % conv->width, i % n);
    }
    float *one = check_floats((size_t)(pixels * n));
    for (int threads = 1; threads <= 3; threads += 2) {
        float *out = check_floats((size_t)(pixels * n));
        void *scratch = scratch_of(pld_winograd_scratch(kernels, conv, threads));
        memcpy(out, first, (size_t)(pixels * n) * sizeof *out);
        pld_winograd_run(kernels, conv, threads,
                         &(pld_convolution_operands){.x = x,
                                                     .scale = factors,
                                                     .shift = factors + depth,
                                                     .factor_step = 2 * depth,
                                                     .epsilon = input_epsilon,
                                                     .packed = packed,
                                                     .bias = extras.bias ? bias : NULL,
                                                     .vector = extras.vector ? vector : NULL,
                                                     .residual = !extras.residual ? NULL
                                                                 : threads == 1   ? first
                                                                                  : out,
                                                     .out = out,
                                                     .scratch = scratch});
        check_near("winograd", out, expected, (size_t)(pixels * n), 3e-6 * sqrt((double)(9 * depth)), 0);
        if (threads == 1) {
            memcpy(one, out, (size_t)(pixels * n) * sizeof *out);
        }
        check_same("winograd on several threads", out, one, (size_t)(pixels * n) * sizeof *out);
        free(scratch);
    }
    free(inputs);
    free(expected);
    free(packed);
    check_release();
}

/** A convolution of pictures of this size. */
static pld_winograd winograd_of(pld_panel_type type, int64_t columns, int64_t depth, int64_t batch,
                                int64_t height, int64_t width) {
    return (pld_winograd){.weights = {type, columns, depth, 9, false},
                          .batch = batch,
                          .height = height,
                          .width = width,
                          .source_height = height,
                          .source_width = width};
}

void check_winograd(const pld_kernels *kernels) {
    const winograd_extras bias = {.bias = true};
    const winograd_extras all = {true, true, true};
    for (int type = PLD_PANEL_F32; type <= PLD_PANEL_BF16; type++) {
        pld_winograd conv = winograd_of((pld_panel_type)type, 20, 9, 2, 7, 5);
        winograd_case(kernels, &conv, bias);
        conv = winograd_of((pld_panel_type)type, 33, 40, 1, 4, 8);
        winograd_case(kernels, &conv, all);
        conv = winograd_of((pld_panel_type)type, 3, 2, 1, 1, 1);
        winograd_case(kernels, &conv, (winograd_extras){0});
    }
    /* more tiles than one group holds, with a rest; more depth than one product */
    pld_winograd large = winograd_of(PLD_PANEL_F32, 17, 3, 3, 37, 41);
    winograd_case(kernels, &large, bias);
    pld_winograd deep = winograd_of(PLD_PANEL_F16, 8, 340, 1, 6, 6);
    winograd_case(kernels, &deep, all);
    /* several groups of tiles times several pieces of the weights, with and without all that stands around */
    pld_winograd pieces = winograd_of(PLD_PANEL_F16, 70, 20, 2, 25, 23);
    pieces.room = 36 * 20 * 35;
    winograd_case(kernels, &pieces, all);
    pieces.input = PLD_INPUT_RMS;
    winograd_case(kernels, &pieces, all);
    pieces.input = PLD_INPUT_SILU;
    winograd_case(kernels, &pieces, all);
    pieces.input = PLD_INPUT_SCALED;
    winograd_case(kernels, &pieces, bias);
    pieces.room = 36 * 16 * 9; /* and of the channels */
    winograd_case(kernels, &pieces, all);
    pieces.room = 0; /* all weights at once, shared by the groups */
    winograd_case(kernels, &pieces, all);
    pld_winograd enlarged = winograd_of(PLD_PANEL_F32, 9, 5, 2, 14, 11);
    enlarged.source_height = 7;
    enlarged.source_width = 5;
    winograd_case(kernels, &enlarged, bias);
}

/** Layers of groups by the definition; one thread and several give the same bytes. */
static void grouped_case(const pld_kernels *kernels, pld_grouped g) {
    const size_t count = (size_t)(g.rows * g.groups * g.columns), weight = (size_t)(g.columns * g.depth);
    float *x = filled((size_t)(g.rows * g.groups * g.depth));
    float *weights = filled((size_t)g.groups * weight);
    float *one = check_floats(count), *many = check_floats(count);
    double *expected = doubles(count);
    void *packed = aligned_alloc(64, pld_grouped_bytes(kernels, &g));
    assert_non_null(packed);
    for (int64_t group = 0; group < g.groups; group++) {
        pld_grouped_pack(kernels, &g, weights + (size_t)group * weight, group, packed);
    }
    for (int64_t i = 0; i < (int64_t)count; i++) {
        const int64_t row = i / (g.groups * g.columns), column = i % (g.groups * g.columns);
        const float *from = x + (row * g.groups + column / g.columns) * g.depth;
        for (int64_t k = 0; k < g.depth; k++) {
            expected[i] += (double)from[k] * (double)weights[column * g.depth + k];
        }
    }
    g.x = x;
    g.packed = packed;
    g.out = one;
    pld_grouped_run(kernels, &g, 1);
    check_near("grouped", one, expected, count, 6e-8 * (double)(g.depth + 4), 0);
    g.out = many;
    pld_grouped_run(kernels, &g, 3);
    check_same("grouped, 3 threads", many, one, count * sizeof *one);
    free(expected);
    free(packed);
    check_release();
}

void check_grouped(const pld_kernels *kernels) {
    grouped_case(kernels, (pld_grouped){.rows = 1, .groups = 1, .depth = 1, .columns = 1});
    grouped_case(kernels, (pld_grouped){.rows = 50, .groups = 6, .depth = 8, .columns = 8});
    grouped_case(kernels, (pld_grouped){.rows = 97, .groups = 3, .depth = 32, .columns = 32});
    grouped_case(kernels, (pld_grouped){.rows = 5, .groups = 4, .depth = 7, .columns = 35});
}
