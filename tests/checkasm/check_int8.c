/* SPDX-License-Identifier: Apache-2.0 */
/* Products of 8-bit integers: rounding against its rule in double, operands and products against the scalar ones, whose
 * sums of integers are exact, so every table must give nearly the same bits: a result is rounded twice (the product of the
 * scales, the sum), which is 1.2e-7 of it, and once with what is added. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "checkasm.h"
#include "kernels/int8.h"
#include "kernels/matrix.h"

static float *filled(size_t count) {
    float *x = check_floats(count);
    check_fill(x, count, -1, 1);
    return x;
}

void check_f32_to_int8(const pld_kernels *kernels) {
    static const size_t counts[] = {1, 3, 8, 31, 64, 255, 256};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        float *x = filled(counts[i]);
        int8_t *out = check_bytes(counts[i]);
        x[counts[i] / 2] = i % 2 ? -3.5F : 3.5F;
        const double scale = (double)kernels->f32_to_int8(x, counts[i], out);
        assert_true(fabs(scale - 3.5 / 127) < 1e-8);
        assert_int_equal(out[counts[i] / 2], i % 2 ? -127 : 127);
        for (size_t n = 0; n < counts[i]; n++) { /* half a step, and the rounding of the factor */
            assert_true(fabs((double)out[n] * scale - (double)x[n]) <= 0.5001 * scale);
        }
        check_release();
    }
    float few[4] = {0.5F, 1.5F, -2.5F, 127};
    int8_t out[4];
    assert_true(kernels->f32_to_int8(few, 4, out) == 1 && out[0] == 0 && out[1] == 2 && out[2] == -2);
    float edge[3] = {0x1p-101F, 0, -0x1p-120F};
    assert_true(kernels->f32_to_int8(edge, 3, out) == 0 && !out[0] && !out[1] && !out[2]);
    edge[1] = INFINITY;
    assert_true(isnan(kernels->f32_to_int8(edge, 3, out)) && !out[1]);
    edge[1] = NAN;
    assert_true(isnan(kernels->f32_to_int8(edge, 3, out)) && !out[1]);
}

/** Against its definition: the matrix has a sign for each place and column, by the parity of the bits that both have. */
void check_hadamard(const pld_kernels *kernels) {
    static const int64_t counts[] = {1, 2, 3, 4, 8, 12, 16, 20, 24, 32, 64, 96, 100, 128, 192, 256};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        const int64_t count = counts[c], size = count & -count;
        float *x = filled((size_t)count), *out = check_floats((size_t)count),
              *same = check_floats((size_t)count);
        double expected[PLD_INT8_DEPTH] = {0};
        for (int64_t i = 0; i < count; i++) {
            for (int64_t j = i / size * size; j < (i / size + 1) * size; j++) {
                const bool flips = (uint32_t)((uint64_t)j * 0x9E3779B1U) & 0x80000000U;
                const bool minus = __builtin_parity((unsigned)(i % size & j % size)) != flips;
                expected[i] += minus ? -(double)x[j] : (double)x[j];
            }
        }
        kernels->hadamard(x, count, out);
        check_near("hadamard", out, expected, (size_t)count, 8 * 6e-8 * sqrt((double)size) * 4, 0);
        check_scalar()->hadamard(x, count, same);
        check_same("hadamard of every set", out, same, (size_t)count * sizeof *out);
        kernels->hadamard(x, count, x);
        check_same("hadamard in place", x, out, (size_t)count * sizeof *out);
        check_release();
    }
}

void check_int8_words(const pld_kernels *kernels) {
    assert_true(kernels->int8_words() == 1 || kernels->int8_words() == 2);
}

/** Number k of a row of words; `offset`: of those of 8 bits. */
static int number_at(const pld_kernels *k, const uint32_t *words, int64_t at, int offset) {
    const int bits = 16 * (int)k->int8_words() / 2, shift = (int)(at % (4 / k->int8_words())) * bits;
    const uint32_t word = words[at * k->int8_words() / 4] >> shift;
    return k->int8_words() == 2 ? (int16_t)word : (int8_t)(word - (uint32_t)offset);
}

void check_int8_rows(const pld_kernels *kernels) {
    enum { ROWS = 5, STEP = 300 };
    static const int64_t depths[] = {1, 63, 64, 100, 256};
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        const int64_t depth = depths[i], row = pld_int8_row_words(kernels, depth) + 3;
        const int64_t count = pld_parts(depth, PLD_INT8_STEP) * PLD_INT8_STEP;
        float *x = filled((ROWS - 1) * STEP + (size_t)depth), *scales = check_floats(ROWS);
        uint32_t *words = check_bytes((size_t)(ROWS * row) * sizeof *words);
        kernels->int8_rows(x, STEP, ROWS, depth, words, row, scales);
        for (int64_t m = 0; m < ROWS; m++) {
            int8_t expected[PLD_INT8_DEPTH + PLD_INT8_STEP] = {0};
            float rotated[PLD_INT8_DEPTH];
            check_scalar()->hadamard(x + m * STEP, depth, rotated);
            assert_true(scales[m] == kernels->f32_to_int8(rotated, (size_t)depth, expected));
            /* integers without a sign have 128 added, which the zeros at the end tell, or the first of a full row */
            const bool plain = number_at(kernels, words + m * row, 0, 0) == expected[0];
            for (int64_t n = 0; n < count; n++) {
                assert_int_equal(number_at(kernels, words + m * row, n, plain ? 0 : 128), expected[n]);
            }
            for (int64_t n = 0; n < 3; n++) { /* what lies behind a row is another's */
                assert_true(words[m * row + row - 3 + n] == UINT32_MAX);
            }
        }
        check_release();
    }
}

void check_int8_panel(const pld_kernels *kernels) {
    enum { QUADS = 16 };
    const int64_t width = kernels->panel_columns(), count = QUADS * width;
    uint32_t *stored = check_bytes((size_t)count * sizeof *stored);
    uint32_t *room = check_bytes((size_t)(2 * count) * sizeof *room);
    for (int64_t i = 0; i < count; i++) {
        stored[i] = (uint32_t)check_random(0, 4294967296.0);
    }
    const uint32_t *words = kernels->int8_panel(stored, QUADS, room);
    for (int64_t quad = 0; quad < QUADS; quad++) {
        for (int64_t n = 0; n < width; n++) {
            for (int byte = 0; byte < 4; byte++) {
                const int expected = (int8_t)(stored[quad * width + n] >> 8 * byte);
                const int64_t row = kernels->int8_words() == 2 ? 2 * quad + byte / 2 : quad;
                const uint32_t word = words[row * width + n];
                const int found = kernels->int8_words() == 2 ? (int16_t)(word >> 16 * (byte % 2))
                                                             : (int8_t)(word >> 8 * byte);
                assert_int_equal(found, expected);
            }
        }
    }
    check_release();
}

/** What stands around a product. */
typedef struct around {
    bool bias, accumulate, gate;
} around;

/** The numbers that both sides become, rotated: integers times scales, [rows, depth] in double, of such length that the matrix
 * is orthogonal. */
static double *rounded_rows(const float *x, int64_t rows, int64_t depth) {
    double *out = calloc((size_t)(rows * depth), sizeof *out);
    assert_non_null(out);
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t first = 0; first < depth; first += PLD_INT8_DEPTH) {
            const int64_t count = pld_smaller(PLD_INT8_DEPTH, depth - first);
            int8_t integers[PLD_INT8_DEPTH];
            float rotated[PLD_INT8_DEPTH];
            check_scalar()->hadamard(x + row * depth + first, count, rotated);
            const double scale = (double)check_scalar()->f32_to_int8(rotated, (size_t)count, integers) /
                                 sqrt((double)(count & -count));
            for (int64_t k = 0; k < count; k++) {
                out[row * depth + first + k] = scale * integers[k];
            }
        }
    }
    return out;
}

/** One product of a piece of the depth with columns of a panel, against the definition. */
static void product_case(const pld_kernels *k, int64_t rows, int64_t depth, int64_t columns, around with) {
    const pld_panels shape = {.type = PLD_PANEL_INT8, .columns = columns, .depth = depth, .taps = 1};
    const int64_t out_row = columns + 5, words = pld_int8_row_words(k, depth), row = words + 1;
    float *left = filled((size_t)(rows * depth)), *weights = filled((size_t)(columns * depth));
    float *more = filled((size_t)columns), *gate = filled((size_t)columns),
          *scales = check_floats((size_t)rows);
    float *out = filled((size_t)((rows - 1) * out_row + columns));
    uint32_t *integers = check_bytes((size_t)(rows * row) * sizeof *integers);
    uint32_t *room = aligned_alloc(64, (size_t)(words * k->panel_columns()) * sizeof *room);
    void *packed = aligned_alloc(64, pld_panels_bytes(k, &shape));
    double *expected = calloc((size_t)(rows * out_row), sizeof *expected);
    assert_true(room && packed && expected);
    double *a = rounded_rows(left, rows, depth), *b = rounded_rows(weights, columns, depth);
    for (int64_t i = 0; i < (rows - 1) * out_row + columns; i++) {
        const int64_t m = i / out_row, n = i % out_row;
        expected[i] = (double)out[i];
        if (n < columns) {
            double sum = with.bias ? (double)more[n] : 0;
            for (int64_t d = 0; d < depth; d++) {
                sum += a[m * depth + d] * b[n * depth + d];
            }
            expected[i] = (with.gate ? (double)gate[n] * sum : sum) + (with.accumulate ? (double)out[i] : 0);
        }
    }
    pld_panels_pack(k, &shape, weights, 0, packed);
    k->int8_rows(left, depth, rows, depth, integers, row, scales);
    const pld_int8_piece piece = pld_int8_at(k, &shape, packed, 0, 0);
    k->int8_product(&(pld_int8_product){integers,
                                        row,
                                        scales,
                                        rows,
                                        words,
                                        k->int8_panel(piece.integers, piece.quads, room),
                                        piece.scales,
                                        piece.sums,
                                        {with.bias ? more : NULL, with.gate ? gate : NULL,
                                         with.accumulate ? out : NULL, out, out_row, columns}});
    /* sums reach √depth/3, and the largest of them a few times that */
    check_near("int8_product", out, expected, (size_t)((rows - 1) * out_row + columns), 2.4e-6, 2.4e-7);
    free(room);
    free(packed);
    free(expected);
    free(a);
    free(b);
    check_release();
}

void check_int8_product(const pld_kernels *kernels) {
    static const int64_t rows[] = {1, 2, 5, 6, 7, 11, 13, 16, 17, 31, 33, 50};
    static const int64_t depths[] = {1, 64, 130, 256};
    const int64_t full = kernels->panel_columns();
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        for (size_t d = 0; d < sizeof depths / sizeof *depths; d++) {
            for (int gate = 0; gate < 2; gate++) {
                product_case(kernels, rows[r], depths[d], full, (around){.bias = true, .gate = gate});
                product_case(kernels, rows[r], depths[d], full, (around){.accumulate = true, .gate = gate});
                product_case(kernels, rows[r], depths[d], full - 1, (around){true, true, gate});
                product_case(kernels, rows[r], depths[d], full / 2, (around){.gate = gate});
                product_case(kernels, rows[r], depths[d], 1, (around){.bias = true, .gate = gate});
            }
        }
    }
}

static void *aligned(size_t bytes) {
    void *memory = aligned_alloc(64, (bytes + 64) / 64 * 64);
    assert_non_null(memory);
    memset(memory, 0xff, (bytes + 64) / 64 * 64); /* NaN: nothing may be read before it is written */
    return memory;
}

/** A whole layer's sums by the definition, [rows, columns]: each piece of the depth has scales of its own. */
static double *layer_sums(const pld_matrix *matrix, const float *left, const float *weights,
                          const float *bias) {
    const int64_t depth = matrix->weights.depth, columns = matrix->weights.columns;
    double *a = rounded_rows(left, matrix->rows, depth), *b = rounded_rows(weights, columns, depth);
    double *sums = calloc((size_t)(matrix->rows * columns), sizeof *sums);
    assert_non_null(sums);
    for (int64_t i = 0; i < matrix->rows * columns; i++) {
        sums[i] = (double)bias[i % columns];
        for (int64_t d = 0; d < depth; d++) {
            sums[i] += a[i / columns * depth + d] * b[i % columns * depth + d];
        }
    }
    free(a);
    free(b);
    return sums;
}

/** out = gate·(sums + bias) + residual on one thread and on several, with the same bytes; of halves their gate alone, which is
 * smooth enough to leave the tolerance. */
static void layer_case(const pld_kernels *k, pld_matrix matrix, int64_t gate_rows) {
    const int64_t depth = matrix.weights.depth, columns = matrix.weights.columns, rows = matrix.rows;
    const int64_t wide = matrix.weights.halves ? columns / 2 : columns;
    const size_t count = (size_t)(rows * wide);
    const int64_t channels = matrix.patches.kernel ? matrix.patches.channels : depth;
    const int64_t pixels = matrix.patches.kernel ? matrix.patches.height * matrix.patches.width : rows;
    float *x = filled((size_t)(pixels * channels)), *left = x;
    float *weights = filled((size_t)(columns * depth)), *bias = filled((size_t)columns);
    float *gates = filled((size_t)(2 * columns)), *added = filled(count), *one = check_floats(count);
    if (matrix.patches.kernel) {
        left = check_floats((size_t)(rows * depth));
        pld_patches_read(&matrix.patches, x, 0, rows, 0, depth, left);
    }
    void *packed = aligned(pld_panels_bytes(k, &matrix.weights));
    for (int64_t panel = 0; panel < pld_panel_count(k, &matrix.weights); panel++) {
        pld_panels_pack(k, &matrix.weights, weights + pld_panel_first(k, &matrix.weights, panel) * depth,
                        panel, packed);
    }
    double *sums = layer_sums(&matrix, left, weights, bias);
    for (int64_t i = 0; i < (int64_t)count; i++) {
        const int64_t row = i / wide, n = i % wide;
        if (matrix.weights.halves) {
            const double a = sums[row * columns + n], b = sums[row * columns + wide + n];
            sums[i] =
                a * b * 0.5 * erfc(-b / sqrt(2)); /* of the row in work: what is read later lies behind */
        } else if (gate_rows) {
            sums[i] = (double)gates[row / gate_rows * columns + n] * sums[i] + (double)added[i];
        }
    }
    for (int threads = 1; threads <= 5; threads += 2) {
        float *out = check_floats(count);
        void *scratch = aligned(pld_matrix_scratch(k, &matrix, threads));
        pld_matrix_run(k, &matrix, threads,
                       &(pld_matrix_operands){.left = x,
                                              .packed = packed,
                                              .bias = bias,
                                              .residual = gate_rows ? added : NULL,
                                              .out = out,
                                              .scratch = scratch,
                                              .gate = gate_rows ? gates : NULL,
                                              .gate_rows = gate_rows,
                                              .gate_step = columns});
        /* a piece of the depth adds one more rounding of sums that reach √depth/3; a gate doubles them */
        check_near("layer of integers", out, sums, count, 1.2e-7 * (double)(depth / 16 + 40), 1e-6);
        if (threads == 1) {
            memcpy(one, out, count * sizeof *one);
        }
        check_same("layer of integers on several threads", out, one, count * sizeof *one);
        free(scratch);
    }
    free(sums);
    free(packed);
    check_release();
}

void check_int8_layers(const pld_kernels *kernels) {
    const pld_panels panels = {.type = PLD_PANEL_INT8, .taps = 1};
    pld_matrix matrix = {.weights = panels, .rows = 7};
    matrix.weights.columns = 75;
    matrix.weights.depth = 340;
    layer_case(kernels, matrix, 0);
    matrix.rows = 510; /* pictures end within blocks and between threads */
    layer_case(kernels, matrix, 255);
    matrix.weights.columns = 3;
    matrix.weights.depth = 513;
    layer_case(kernels, matrix, 0);
    matrix = (pld_matrix){.weights = panels, .rows = 250, .gating = {PLD_GATE_GELU, false}};
    matrix.weights.halves = true;
    matrix.weights.columns = 150;
    matrix.weights.depth = 260;
    layer_case(kernels, matrix, 0);
    matrix = (pld_matrix){.weights = panels,
                          .rows = 7 * 6,
                          .patches = {.kernel = 3,
                                      .stride = 2,
                                      .pad_before = 1,
                                      .height = 13,
                                      .width = 11,
                                      .channels = 40,
                                      .out_height = 7,
                                      .out_width = 6}};
    matrix.weights.columns = 33;
    matrix.weights.depth = 9 * 40;
    layer_case(kernels, matrix, 0);
}
