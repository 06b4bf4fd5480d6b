/* SPDX-License-Identifier: Apache-2.0 */
/** A linear layer and a convolution of 8-bit integers against the same scheme in PyTorch (tools/reference/int8_products.py), in
 * every instruction set of this machine. Integers and their sums are the same there; scales and what is added are rounded to
 * float32 here, 2^-24 of each of a few terms: 1e-6 of the whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "core/memory.h"
#include "io/tensors/weight_files.h"
#include "kernels/matrix.h"

enum {
    ROWS = 37,
    COLUMNS = 40,
    DEPTH = 700,
    CHANNELS = 24,
    HEIGHT = 9,
    WIDTH = 7,
    OUT_HEIGHT = 5,
    OUT_WIDTH = 4,
    TAPS = 9
};

static pld_weight_files *stored;

/** numbers(seed)[i] of the script. */
static float number(uint64_t seed, uint64_t i) {
    uint64_t mixed = (i + seed) * 2654435761U & UINT32_MAX;
    mixed = (mixed ^ mixed >> 15) * 2246822519U & UINT32_MAX;
    const float x = (float)((int)(mixed >> 16) - 32768) / 32768;
    return i % 50 == 7 ? 8 * x : x;
}

static float *numbers(uint64_t seed, size_t count) {
    float *x = malloc(count * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < count; i++) {
        x[i] = number(seed, i);
    }
    return x;
}

/** [N, C, taps] → [N, taps, C]; and a picture [C, h, w] → [h, w, C], which is the same. */
static float *turned(float *from, size_t outer, size_t channels, size_t inner) {
    float *to = malloc(outer * channels * inner * sizeof *to);
    assert_non_null(to);
    for (size_t i = 0; i < outer * channels * inner; i++) {
        const size_t channel = i / inner % channels;
        to[(i / inner / channels * inner + i % inner) * channels + channel] = from[i];
    }
    free(from);
    return to;
}

static void compare(const char *name, const float *found, size_t count) {
    pld_weight weight;
    pld_error error = {0};
    float *expected = malloc(count * sizeof *expected);
    assert_non_null(expected);
    assert_true(pld_weight_files_find(stored, name, &weight));
    assert_int_equal(weight.tensor->bytes, count * sizeof *expected);
    assert_int_equal(pld_weight_read(&weight, 0, weight.tensor->bytes, expected, &error), PLD_OK);
    double difference = 0, norm = 0;
    for (size_t i = 0; i < count; i++) {
        difference += pow((double)found[i] - (double)expected[i], 2);
        norm += pow((double)expected[i], 2);
    }
    const double relative = sqrt(difference / norm);
    if (!(relative <= 1e-6)) {
        fail_msg("%s: relative error %.2e", name, relative);
    }
    free(expected);
}

static void run(const pld_kernels *k, const pld_matrix *matrix, const float *left, const float *weights,
                const float *bias, const char *name) {
    const size_t count = (size_t)(matrix->rows * matrix->weights.columns);
    void *packed = pld_allocate_aligned(pld_panels_bytes(k, &matrix->weights), 1);
    void *scratch = pld_allocate_aligned(pld_matrix_scratch(k, matrix, 1), 1);
    float *out = malloc(count * sizeof *out);
    assert_true(packed && scratch && out);
    for (int64_t panel = 0; panel < pld_panel_count(k, &matrix->weights); panel++) {
        pld_panels_pack(k, &matrix->weights,
                        weights + pld_panel_first(k, &matrix->weights, panel) * matrix->weights.depth, panel,
                        packed);
    }
    pld_matrix_run(
        k, matrix, 1,
        &(pld_matrix_operands){.left = left, .packed = packed, .bias = bias, .out = out, .scratch = scratch});
    compare(name, out, count);
    free(out);
    pld_free(scratch);
    pld_free(packed);
}

/** In each set that this machine has. */
static void each_set(void (*test)(const pld_kernels *k)) {
    for (int isa = 0; isa < PLD_ISA_COUNT; isa++) {
        if (pld_isa_supported((pld_isa)isa)) {
            test(pld_kernels_get((pld_isa)isa));
        }
    }
}

static void run_linear(const pld_kernels *k) {
    float *x = numbers(1, (size_t)ROWS * DEPTH), *w = numbers(2, (size_t)COLUMNS * DEPTH),
          *bias = numbers(3, COLUMNS);
    const pld_matrix matrix = {
        .weights = {.type = PLD_PANEL_INT8, .columns = COLUMNS, .depth = DEPTH, .taps = 1}, .rows = ROWS};
    run(k, &matrix, x, w, bias, "linear");
    free(x);
    free(w);
    free(bias);
}

static void run_convolution(const pld_kernels *k) {
    float *x = turned(numbers(4, (size_t)CHANNELS * HEIGHT * WIDTH), 1, CHANNELS, (size_t)HEIGHT * WIDTH);
    float *w = turned(numbers(5, (size_t)COLUMNS * CHANNELS * TAPS), COLUMNS, CHANNELS, TAPS);
    const pld_matrix matrix = {
        .weights = {.type = PLD_PANEL_INT8, .columns = COLUMNS, .depth = (int64_t)CHANNELS * TAPS, .taps = 1},
        .rows = (int64_t)OUT_HEIGHT * OUT_WIDTH,
        .patches = {.kernel = 3,
                    .stride = 2,
                    .pad_before = 1,
                    .height = HEIGHT,
                    .width = WIDTH,
                    .channels = CHANNELS,
                    .out_height = OUT_HEIGHT,
                    .out_width = OUT_WIDTH}};
    run(k, &matrix, x, w, NULL, "convolution");
    free(x);
    free(w);
}

static void linear_layers(void **state) {
    (void)state;
    each_set(run_linear);
}

static void convolutions(void **state) {
    (void)state;
    each_set(run_convolution);
}

int main(void) {
    pld_error error = {0};
    if (pld_weight_files_open_file(PLADIS_TEST_DATA "/int8/products.safetensors", &stored, &error) !=
        PLD_OK) {
        print_error("%s\n", error.message);
        return 1;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(linear_layers), cmocka_unit_test(convolutions)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    pld_weight_files_close(&stored);
    return failed;
}
