/* SPDX-License-Identifier: Apache-2.0 */
/** Matrices of int8 with a scale for each row: values of any run of them, of parts of their rows, and of rows in another
 * order. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/kernels.h"
#include "nn/weight_values.h"
#include "temporary_folder.h"

enum { ROWS = 150, COLUMNS = 7, BYTES = ROWS * COLUMNS };

/** A number of the matrix is its place's low byte, and row r has the scale r + 1. */
static float expected(size_t row, size_t column) {
    return (float)(int8_t)(uint8_t)(4 * ROWS + row * COLUMNS + column) * (float)(row + 1);
}

static pld_weight_files *open_matrix(void) {
    unsigned char data[4 * ROWS + BYTES];
    for (int i = 0; i < ROWS; i++) {
        const float scale = (float)(i + 1);
        memcpy(data + 4 * i, &scale, sizeof scale);
    }
    for (int i = 0; i < BYTES; i++) {
        data[4 * ROWS + i] = (unsigned char)(4 * ROWS + i);
    }
    char header[256];
    const int length =
        snprintf(header, sizeof header,
                 "{\"m.weight_scale\":{\"dtype\":\"F32\",\"shape\":[%d,1],\"data_offsets\":[0,%d]},"
                 "\"m.weight\":{\"dtype\":\"I8\",\"shape\":[%d,%d],\"data_offsets\":[%d,%d]}}",
                 ROWS, 4 * ROWS, ROWS, COLUMNS, 4 * ROWS, 4 * ROWS + BYTES);
    unsigned char file[8 + sizeof header + sizeof data] = {(unsigned char)length,
                                                           (unsigned char)(length >> 8)};
    memcpy(file + 8, header, (size_t)length);
    memcpy(file + 8 + length, data, sizeof data);
    pld_weight_files *files = NULL;
    pld_error error = {0};
    const char *path = write_bytes("m.safetensors", file, 8 + (size_t)length + sizeof data);
    const pld_status status = pld_weight_files_open_file(path, &files, &error);
    if (status != PLD_OK) {
        fail_msg("%s", error.message);
    }
    assert_int_equal(pld_weight_files_count(files), 1);
    return files;
}

/** Conversion to float32, which is all that is asked of a backend here. */
static void to_f32(const void *device, pld_dtype dtype, const void *stored, size_t count, float *out) {
    (void)device;
    pld_convert_to_f32(pld_kernels_get(PLD_ISA_SCALAR), dtype, stored, count, out);
}

/** Every run of some lengths holds rows (first_row + i) mod `rows` behind `base`. */
static void check_runs(const pld_weight *weight, size_t base, size_t rows, size_t first_row) {
    static const size_t lengths[] = {1, COLUMNS - 1, COLUMNS, 3 * COLUMNS + 2, 80 * COLUMNS};
    const pld_weight_functions functions = {.to_f32 = to_f32};
    const pld_weight_backend backend = {.functions = &functions};
    float values[BYTES];
    pld_error error = {0};
    const size_t all = rows * COLUMNS;
    assert_int_equal(pld_weight_elements(weight), all);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        for (size_t first = 0; first < all; first += 3) {
            const size_t count = all - first < lengths[i] ? all - first : lengths[i];
            assert_int_equal(pld_weight_values(&backend, weight, first, count, values, &error), PLD_OK);
            for (size_t j = 0; j < count; j++) {
                const size_t row = (first + j) / COLUMNS;
                assert_true(values[j] == expected(base + (row + first_row) % rows, (first + j) % COLUMNS));
            }
        }
    }
}

static void runs_have_the_scales_of_their_rows(void **state) {
    (void)state;
    pld_weight_files *files = open_matrix();
    const pld_weight weight = pld_weight_files_at(files, 0);
    assert_true(pld_weight_is_scaled(&weight) && pld_weight_is_number(&weight));
    check_runs(&weight, 0, ROWS, 0);
    pld_weight_files_close(&files);
}

static void parts_take_their_scales_with_them(void **state) {
    (void)state;
    pld_weight_files *files = open_matrix(), *view = NULL, *again = NULL;
    pld_error error = {0};
    const pld_weight_alias aliases[] = {{0, "second", {1, 1, 3}, false, false},
                                        {0, "behind", {1, 2, 3}, false, false},
                                        {0, "turned", {1, 3, 3}, false, false}};
    assert_int_equal(pld_weight_files_view(files, aliases, 3, &view, &error), PLD_OK);
    pld_weight weight;
    assert_true(pld_weight_files_find(view, "second", &weight));
    check_runs(&weight, 50, 50, 0);
    assert_true(pld_weight_files_find(view, "behind", &weight));
    check_runs(&weight, 50, 100, 0);
    /* a part of a part */
    const pld_weight_alias half = {weight.index, "half", {1, 1, 2}, false, false};
    assert_int_equal(pld_weight_files_view(view, &half, 1, &again, &error), PLD_OK);
    const pld_weight last = pld_weight_files_at(again, 0);
    check_runs(&last, 100, 50, 0);
    assert_true(pld_weight_files_find(view, "turned", &weight));
    check_runs(&weight, 0, ROWS, 50);
    pld_weight_files_close(&again);
    pld_weight_files_close(&view);
    const pld_weight_alias transposed = {0, "t", {0}, true, false};
    assert_int_equal(pld_weight_files_view(files, &transposed, 1, &view, &error), PLD_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "'m.weight': its rows have scales"));
    pld_weight_files_close(&files);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_have_the_scales_of_their_rows),
        cmocka_unit_test(parts_take_their_scales_with_them),
    };
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
