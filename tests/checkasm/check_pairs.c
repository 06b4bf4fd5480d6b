/* SPDX-License-Identifier: Apache-2.0 */
/* Products with bfloat16 operands: kernels against the scalar one and sums in double, whole layers against
 * sums in double of the rounded operands. Tolerances: products of two bfloat16 numbers are exact in float32,
 * so what is left is a float32 sum of n numbers up to 1, within about n·2^-24 of exact in any order. Where a
 * pair is taken apart the order is the scalar kernel's, and the bits are compared. */
#include <stdlib.h>
#include <string.h>

#include "checkasm.h"
#include "kernels/convolution.h"

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

/** x to the nearest bfloat16. */
static double rounded(float x) {
    uint16_t bits;
    float value;
    check_scalar()->f32_to_bf16(&x, 1, &bits);
    check_scalar()->bf16_to_f32(&bits, 1, &value);
    return (double)value;
}

/** One instruction may round the sum of a pair once. */
static bool takes_pairs_apart(const pld_kernels *kernels) {
    return !pld_isa_has_bf16(kernels->isa);
}

static uint32_t *random_pairs(size_t count) {
    uint32_t *pairs = check_bytes(count * sizeof *pairs);
    for (size_t i = 0; i < count; i++) {
        const float two[2] = {(float)check_random(-1, 1), (float)check_random(-1, 1)};
        check_scalar()->f32_to_bf16(two, 2, &pairs[i]);
    }
    return pairs;
}

static double half(uint32_t pair, int which) {
    float two[2];
    check_scalar()->bf16_to_f32(&pair, 2, two);
    return (double)two[which];
}

/** What a product begins its sums with, and of what its operands are. */
typedef struct beginning {
    bool bias, accumulate, split, gate;
} beginning;

/** One product of `rows` × `pairs` with `columns` of a panel, for each of `taps` left sides, which overlap;
 * rows stand in runs of 7. Low halves of split operands are numbers like the high ones. The scalar table has
 * panels of its own width, so the specification is run on a copy of that width. */
static void pair_case(const pld_kernels *kernels, int64_t rows, int64_t pairs, int64_t taps, int64_t columns,
                      beginning begin) {
    static const int64_t tap_at[] = {0, 11, 4};
    enum { RUN = 7, GAP = 9 };
    const pld_kernels *scalar = check_scalar();
    const int64_t width = kernels->panel_columns();
    const int64_t narrow = scalar->panel_columns();
    const int64_t halves = begin.split ? 2 : 1;
    const int64_t left_row = halves * pairs + 3;
    const int64_t run_step = RUN * left_row + GAP;
    const int64_t out_row = columns + 5;
    const size_t count = (size_t)((rows - 1) * out_row + columns);
    uint32_t *left = random_pairs(
        (size_t)((rows - 1) / RUN * run_step + (rows - 1) % RUN * left_row + left_row + (taps > 1 ? 11 : 0)));
    uint32_t *panel = random_pairs((size_t)(taps * halves * pairs * width));
    uint32_t *copy = check_bytes((size_t)(taps * halves * pairs * narrow) * sizeof *copy);
    float *more = filled((size_t)columns);
    float *gate = filled((size_t)columns);
    float *out = filled(count);
    float *same = check_floats(count);
    double *expected = doubles(count);
    memcpy(same, out, count * sizeof *out);
    for (int64_t i = 0; i < (int64_t)count; i++) {
        const int64_t row = i / out_row;
        const int64_t n = i % out_row;
        expected[i] = (double)out[i];
        if (n >= columns) {
            continue;
        }
        double sum = begin.bias ? (double)more[n] : 0;
        for (int64_t k = 0; k < 2 * pairs * taps; k++) {
            const int64_t tap = k / (2 * pairs);
            const int64_t pair = k / 2 % pairs;
            const int64_t at = row / RUN * run_step + row % RUN * left_row + tap_at[tap] + pair;
            const int64_t right = (tap * halves * pairs + pair) * width + n;
            const int which = (int)(k % 2);
            sum += half(left[at], which) * half(panel[right], which);
            if (begin.split) {
                sum += half(left[at + pairs], which) * half(panel[right], which) +
                       half(left[at], which) * half(panel[right + pairs * width], which);
            }
        }
        expected[i] = (begin.gate ? (double)gate[n] * sum : sum) + (begin.accumulate ? (double)out[i] : 0);
    }
    pld_pair_product product = {.left = left,
                                .left_row = left_row,
                                .run_rows = RUN,
                                .run_step = run_step,
                                .rows = rows,
                                .pairs = pairs,
                                .taps = taps,
                                .tap_at = taps > 1 ? tap_at : NULL,
                                .panel = panel,
                                .panel_tap = halves * pairs * width,
                                .left_low = begin.split ? pairs : 0,
                                .panel_low = begin.split ? pairs * width : 0,
                                .bias = begin.bias ? more : NULL,
                                .gate = begin.gate ? gate : NULL,
                                .add = begin.accumulate ? out : NULL,
                                .out = out,
                                .out_row = out_row,
                                .columns = columns};
    kernels->pair_product(&product);
    const int64_t products = (begin.split ? PLD_PAIR_PARTS : 1) * 2 * pairs * taps;
    check_near("pair_product", out, expected, count, 6e-8 * (double)(products + 4), 0);
    product.panel_tap = halves * pairs * narrow;
    product.panel_low = begin.split ? pairs * narrow : 0;
    for (int64_t first = 0; takes_pairs_apart(kernels) && first < columns; first += narrow) {
        product.columns = columns - first < narrow ? columns - first : narrow;
        for (int64_t i = 0; i < taps * halves * pairs * narrow; i++) {
            copy[i] = i % narrow < product.columns ? panel[i / narrow * width + first + i % narrow] : 0;
        }
        product.panel = copy;
        product.bias = begin.bias ? more + first : NULL;
        product.gate = begin.gate ? gate + first : NULL;
        product.add = begin.accumulate ? same + first : NULL;
        product.out = same + first;
        scalar->pair_product(&product);
    }
    if (takes_pairs_apart(kernels)) {
        check_same("pair_product and the scalar one", out, same, count * sizeof *out);
    }
    free(expected);
    check_release();
}

void check_pair_block(const pld_kernels *kernels) {
    const pld_pair_block block = kernels->pair_block();
    assert_true(block.rows >= 64 && block.rows <= 1024);
    assert_true(block.pairs >= 64 && block.pairs <= PLD_PAIR_FLAT && block.pairs % 16 == 0);
}

void check_pair_product(const pld_kernels *kernels) {
    static const int64_t rows[] = {1, 2, 3, 4, 5, 7, 8, 11, 12, 14, 23, 31, 50};
    static const int64_t depths[] = {1, 2, 16, 33, 129};
    const int64_t full = kernels->panel_columns();
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        for (size_t d = 0; d < sizeof depths / sizeof *depths; d++) {
            for (int64_t taps = 1; taps <= 3; taps++) {
                for (int split = 0; split <= 1; split++) {
                    const bool gate = (r + d) % 2; /* with some, and with all once below */
                    pair_case(kernels, rows[r], depths[d], taps, full, (beginning){true, false, split, gate});
                    pair_case(kernels, rows[r], depths[d], taps, full,
                              (beginning){false, true, split, false});
                    pair_case(kernels, rows[r], depths[d], taps, full, (beginning){false, true, split, true});
                    pair_case(kernels, rows[r], depths[d], taps, full - 1,
                              (beginning){true, true, split, !gate});
                    pair_case(kernels, rows[r], depths[d], taps, full / 2,
                              (beginning){false, false, split, gate});
                    pair_case(kernels, rows[r], depths[d], taps, 1, (beginning){true, false, split, !gate});
                }
            }
        }
    }
    for (int split = 0; split <= 1; split++) { /* more rows and steps than are taken at a time */
        for (int gate = 0; gate <= 1; gate++) {
            pair_case(kernels, 300, 335, 1, full, (beginning){true, true, split, gate});
            pair_case(kernels, 269, 70, 3, full - 1, (beginning){true, false, split, gate});
        }
    }
}

/** What a case adds around the convolution. */
typedef struct extras {
    bool bias, vector, residual, gate;
} extras;

/** What is left of a number once it is rounded to the nearest bfloat16, rounded likewise. */
static double rest_of(float x) {
    return rounded(x - (float)rounded(x));
}

static const float input_epsilon = 1e-6F;

/** x' in bfloat16, [B, H, W, C][2] with its rest: normalised by the same kernel, since a last bit may turn a
 * rounding. */
static double *inputs_of(const pld_kernels *kernels, const pld_convolution *conv, const float *x,
                         const float *factors) {
    const int64_t depth = conv->weights.depth;
    const int64_t row_floats = conv->source_width * depth;
    double *inputs = doubles((size_t)(2 * conv->batch * conv->height * conv->width * depth));
    float *normed = check_floats((size_t)row_floats);
    for (int64_t row = 0; row < conv->batch * conv->height; row++) {
        const int64_t picture = row / conv->height;
        const int64_t source =
            picture * conv->source_height + row % conv->height * conv->source_height / conv->height;
        const float *from = x + source * row_floats;
        if (conv->input) {
            const pld_convolution_operands operands = {.scale = factors,
                                                       .shift = factors + depth,
                                                       .factor_step = 2 * depth,
                                                       .epsilon = input_epsilon};
            pld_change_input(kernels, &operands, conv->input, picture, from, conv->source_width, depth,
                             normed);
            from = normed;
        }
        for (int64_t i = 0; i < conv->width * depth; i++) {
            const int64_t pixel = i / depth * conv->source_width / conv->width;
            double *to = inputs + 2 * (row * conv->width * depth + i);
            to[0] = rounded(from[pixel * depth + i % depth]);
            to[1] = rest_of(from[pixel * depth + i % depth]);
        }
    }
    return inputs;
}

/** The convolution's value at output channel n of the pixel (picture, y, x); operands with their rests. */
static double convolved(const pld_convolution *conv, const double *x, const double *weights, int64_t picture,
                        int64_t y, int64_t column, int64_t n) {
    const int64_t depth = conv->weights.depth;
    const int64_t taps = conv->weights.taps;
    double sum = 0;
    for (int64_t tap = 0; tap < taps; tap++) {
        const int64_t from_y = y * conv->stride + tap / conv->kernel - conv->pad_before;
        const int64_t from_x = column * conv->stride + tap % conv->kernel - conv->pad_before;
        if (from_y < 0 || from_y >= conv->height || from_x < 0 || from_x >= conv->width) {
            continue;
        }
        const double *pixel = x + 2 * ((picture * conv->height + from_y) * conv->width + from_x) * depth;
        for (int64_t c = 0; c < depth; c++) {
            const double *weight = weights + 2 * ((n * depth + c) * taps + tap);
            sum += pixel[2 * c] * weight[0];
            if (conv->weights.type == PLD_PANEL_SPLIT) {
                sum += pixel[2 * c + 1] * weight[0] + pixel[2 * c] * weight[1];
            }
        }
    }
    return sum;
}

static void *packed_weights(const pld_kernels *kernels, const pld_panels *shape, const float *weights) {
    const size_t bytes = pld_panels_bytes(kernels, shape);
    void *packed = aligned_alloc(64, (bytes + 63) / 64 * 64);
    assert_non_null(packed);
    memset(packed, 0xff, bytes); /* NaN: all of it must be written */
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

static void compare_convolution(const pld_kernels *kernels, const pld_convolution *conv, extras add) {
    const int64_t n = conv->weights.columns;
    const int64_t depth = conv->weights.depth;
    const int64_t products = depth * conv->weights.taps;
    const int64_t parts = conv->weights.type == PLD_PANEL_SPLIT ? PLD_PAIR_PARTS : 1;
    const int64_t pixels = conv->batch * conv->out_height * conv->out_width;
    const size_t count = (size_t)(pixels * n);
    float *x = filled((size_t)(conv->batch * conv->source_height * conv->source_width * depth));
    float *factors = filled((size_t)(conv->batch * 2 * depth));
    float *weights = filled((size_t)(n * products));
    float *bias = filled((size_t)n);
    float *vector = filled((size_t)(conv->batch * n));
    float *gate = filled((size_t)(conv->batch * (n + 3)));
    float *first = filled(count);
    void *packed = packed_weights(kernels, &conv->weights, weights);
    double *inputs = inputs_of(kernels, conv, x, factors);
    double *wanted = doubles((size_t)(2 * n * products));
    double *expected = doubles(count);
    for (int64_t i = 0; i < n * products; i++) {
        wanted[2 * i] = rounded(weights[i]);
        wanted[2 * i + 1] = rest_of(weights[i]);
    }
    for (int64_t i = 0; i < pixels * n; i++) {
        const int64_t at = i / n % (conv->out_height * conv->out_width);
        const int64_t picture = i / n / (conv->out_height * conv->out_width);
        const double sum =
            (add.bias ? (double)bias[i % n] : 0) + (add.vector ? (double)vector[picture * n + i % n] : 0) +
            convolved(conv, inputs, wanted, picture, at / conv->out_width, at % conv->out_width, i % n);
        expected[i] = (add.gate ? (double)gate[picture * (n + 3) + i % n] * sum : sum) +
                      (add.residual ? (double)first[i] : 0);
    }
    float *one = check_floats(count);
    for (int threads = 1; threads <= 5; threads += 2) {
        float *out = check_floats(count);
        void *scratch = scratch_of(pld_convolution_scratch(kernels, conv, threads));
        memcpy(out, first, count * sizeof *out);
        pld_convolution_run(kernels, conv, threads,
                            &(pld_convolution_operands){.x = x,
                                                        .scale = factors,
                                                        .shift = factors + depth,
                                                        .factor_step = 2 * depth,
                                                        .epsilon = input_epsilon,
                                                        .packed = packed,
                                                        .bias = add.bias ? bias : NULL,
                                                        .vector = add.vector ? vector : NULL,
                                                        .gate = add.gate ? gate : NULL,
                                                        .gate_step = n + 3,
                                                        .residual = !add.residual  ? NULL
                                                                    : threads == 1 ? first
                                                                                   : out,
                                                        .out = out,
                                                        .scratch = scratch});
        check_near("convolution", out, expected, count, 6e-8 * (double)(parts * products + 8), 0);
        if (threads == 1) {
            memcpy(one, out, count * sizeof *out);
        }
        check_same("convolution on several threads", out, one, count * sizeof *out);
        free(scratch);
    }
    free(inputs);
    free(wanted);
    free(expected);
    free(packed);
    check_release();
}

/** A convolution of pictures of this size, padded by 1 where it has a neighbourhood. */
static pld_convolution convolution_of(int64_t kernel, int64_t stride, int64_t columns, int64_t depth,
                                      int64_t batch, int64_t height, int64_t width) {
    const int64_t pad = kernel / 2;
    return (pld_convolution){.weights = {PLD_PANEL_PAIRS, columns, depth, kernel * kernel, false},
                             .kernel = kernel,
                             .stride = stride,
                             .pad_before = pad,
                             .batch = batch,
                             .height = height,
                             .width = width,
                             .out_height = (height + 2 * pad - kernel) / stride + 1,
                             .out_width = (width + 2 * pad - kernel) / stride + 1,
                             .source_height = height,
                             .source_width = width};
}

/** The convolution with operands of bfloat16, and with split ones. */
static void convolution_case(const pld_kernels *kernels, const pld_convolution *conv, extras add) {
    compare_convolution(kernels, conv, add);
    pld_convolution split = *conv;
    split.weights.type = PLD_PANEL_SPLIT;
    split.room *= 2;
    compare_convolution(kernels, &split, add);
}

/** A linear layer whose output takes the place of its input gives the same. */
static void in_place_case(const pld_kernels *kernels, pld_panel_type type) {
    enum { ROWS = 500, DEPTH = 24, COLUMNS = 9 };
    pld_convolution linear = convolution_of(1, 1, COLUMNS, DEPTH, 1, ROWS, 1);
    linear.weights.type = type;
    linear.room = 40 * DEPTH; /* several groups of rows */
    float *weights = filled(COLUMNS * DEPTH);
    float *x = filled(ROWS * DEPTH);
    float *expected = check_floats(ROWS * COLUMNS);
    pld_convolution_operands operands = {.x = x,
                                         .out = expected,
                                         .packed = packed_weights(kernels, &linear.weights, weights),
                                         .scratch = scratch_of(pld_convolution_scratch(kernels, &linear, 3))};
    pld_convolution_run(kernels, &linear, 3, &operands);
    operands.out = x;
    pld_convolution_run(kernels, &linear, 3, &operands);
    check_same("linear layer in place", x, expected, ROWS * COLUMNS * sizeof *x);
    free(operands.scratch);
    free((void *)(uintptr_t)operands.packed);
    check_release();
}

/** A gate in a linear layer gives the bits of one after it: every sum is the same. */
static void gated_case(const pld_kernels *kernels, pld_panel_type type, pld_gating gating, int64_t half,
                       int64_t depth, int64_t rows) {
    pld_convolution linear = convolution_of(1, 1, 2 * half, depth, 1, rows, 1);
    linear.weights.type = type;
    linear.gating = gating;
    float *weights = filled((size_t)(2 * half * depth));
    float *whole = check_floats((size_t)(rows * 2 * half));
    float *expected = check_floats((size_t)(rows * half));
    pld_convolution_operands operands = {.x = filled((size_t)(rows * depth)),
                                         .bias = filled((size_t)(2 * half)),
                                         .out = whole,
                                         .packed = packed_weights(kernels, &linear.weights, weights),
                                         .scratch = scratch_of(pld_convolution_scratch(kernels, &linear, 1))};
    pld_convolution_run(kernels, &linear, 1, &operands);
    pld_gate_halves(kernels, linear.gating, whole, rows, half, expected, half);
    free(operands.scratch);
    free((void *)(uintptr_t)operands.packed);
    linear.weights.halves = true;
    operands.packed = packed_weights(kernels, &linear.weights, weights);
    for (int threads = 1; threads <= 5; threads += 2) {
        operands.out = check_floats((size_t)(rows * half));
        operands.scratch = scratch_of(pld_convolution_scratch(kernels, &linear, threads));
        pld_convolution_run(kernels, &linear, threads, &operands);
        check_same("linear layer with a gate", operands.out, expected, (size_t)(rows * half) * sizeof(float));
        free(operands.scratch);
    }
    /* from rounded rows to rounded ones: the same numbers */
    if (half % 2 == 0 && depth % 2 == 0 && type == PLD_PANEL_PAIRS) {
        uint32_t *x = (uint32_t *)check_floats((size_t)(rows * depth / 2));
        uint32_t *wanted = (uint32_t *)check_floats((size_t)(rows * half / 2));
        pld_pairs_round(kernels, operands.x, rows * depth, x);
        pld_pairs_round(kernels, expected, rows * half, wanted);
        linear.from_pairs = linear.to_pairs = true;
        operands.x = x;
        operands.out = check_floats((size_t)(rows * half / 2));
        operands.scratch = scratch_of(pld_convolution_scratch(kernels, &linear, 3));
        pld_convolution_run(kernels, &linear, 3, &operands);
        check_same("from and to pairs", operands.out, wanted, (size_t)(rows * half / 2) * sizeof *wanted);
        free(operands.scratch);
    }
    const size_t bytes = pld_panels_bytes(kernels, &linear.weights);
    void *apart = check_bytes(bytes);
    memset(apart, 0xff, bytes);
    for (int64_t panel = 0; panel < pld_panel_count(kernels, &linear.weights); panel++) {
        pld_panels_pack_halves(kernels, &linear.weights, weights, weights + half * depth, panel, apart);
    }
    check_same("halves stored apart", apart, operands.packed, bytes);
    free((void *)(uintptr_t)operands.packed);
    check_release();
}

/** Linear layers: rows of numbers. */
static void check_linear(const pld_kernels *kernels) {
    const extras bias = {.bias = true};
    const extras both = {.bias = true, .residual = true};
    pld_convolution linear = convolution_of(1, 1, 40, 20, 1, 500, 1);
    convolution_case(kernels, &linear, bias);
    linear.room = 1; /* a row at a time */
    convolution_case(kernels, &linear, both);
    linear = convolution_of(1, 1, 75, 1301, 1, 7, 1); /* odd, and three pieces of depth */
    convolution_case(kernels, &linear, both);
    convolution_case(kernels, &linear, (extras){true, false, true, true});
    linear = convolution_of(1, 1, 40, 20, 3, 90, 1); /* a gate for each picture */
    convolution_case(kernels, &linear, (extras){true, false, true, true});
    linear = convolution_of(1, 1, 3, 1, 1, 1, 1);
    convolution_case(kernels, &linear, (extras){0});
    linear = convolution_of(1, 1, 33, 36, 3, 9, 11);
    convolution_case(kernels, &linear, bias);
    linear.input = PLD_INPUT_SCALED;
    convolution_case(kernels, &linear, (extras){true, true, true, false});
    in_place_case(kernels, PLD_PANEL_PAIRS);
    in_place_case(kernels, PLD_PANEL_SPLIT);
    for (int i = 0; i < 2; i++) {
        const pld_panel_type type = i ? PLD_PANEL_SPLIT : PLD_PANEL_PAIRS;
        gated_case(kernels, type, (pld_gating){PLD_GATE_GELU, false}, 128, 32, 500);
        gated_case(kernels, type, (pld_gating){PLD_GATE_SILU, true}, 75, 1301, 7);
        gated_case(kernels, type, (pld_gating){PLD_GATE_GELU_TANH, true}, 74, 1300, 7);
        gated_case(kernels, type, (pld_gating){PLD_GATE_SILU, false}, 1, 5, 300);
    }
}

void check_convolution(const pld_kernels *kernels) {
    const extras bias = {.bias = true};
    const extras all = {true, true, true, false};
    const extras gated = {true, true, true, true};
    check_linear(kernels);
    for (int64_t stride = 1; stride <= 2; stride++) {
        pld_convolution conv = convolution_of(3, stride, 20, 9, 2, 7, 5);
        convolution_case(kernels, &conv, bias);
        conv = convolution_of(3, stride, 33, 40, 1, 4, 8);
        convolution_case(kernels, &conv, all);
        convolution_case(kernels, &conv, gated);
        conv = convolution_of(3, stride, 3, 2, 1, 1, 1);
        convolution_case(kernels, &conv, (extras){0});
        conv = convolution_of(3, stride, 17, 6, 3, 37, 41);
        convolution_case(kernels, &conv, bias);
        /* threads alone, each on bands of a few rows that move along */
        for (int64_t rows = 1; rows <= 4; rows += 3) {
            conv = convolution_of(3, stride, 5, 6, 2, 23, 530);
            conv.room = rows * stride * 532 * 4;
            convolution_case(kernels, &conv, all);
            conv = convolution_of(3, stride, 5, 6, 3, 41, 60);
            conv.room = rows * stride * 62 * 4 * 20;
            conv.input = PLD_INPUT_SCALED;
            convolution_case(kernels, &conv, all);
        }
        /* the band in pieces that end within and between pictures */
        for (int64_t rows = 1; rows <= 4; rows++) {
            conv = convolution_of(3, stride, 19, 10, 3, 5, 6);
            conv.room = rows * stride * 8 * 5;
            convolution_case(kernels, &conv, all);
            conv.input = PLD_INPUT_RMS;
            convolution_case(kernels, &conv, bias);
            conv.input = PLD_INPUT_SILU;
            convolution_case(kernels, &conv, bias);
            conv.input = PLD_INPUT_SCALED;
            convolution_case(kernels, &conv, all);
        }
    }
    pld_convolution deep = convolution_of(3, 1, 8, 515, 1, 6, 6);
    convolution_case(kernels, &deep, all);
    pld_convolution uneven = convolution_of(3, 2, 9, 4, 2, 8, 8); /* as an encoder pads: right and below */
    uneven.pad_before = 0;
    uneven.out_height = uneven.out_width = 4;
    convolution_case(kernels, &uneven, bias);
    pld_convolution enlarged = convolution_of(3, 1, 9, 6, 2, 14, 11);
    enlarged.source_height = 7;
    enlarged.source_width = 5;
    convolution_case(kernels, &enlarged, bias);
}
