/* SPDX-License-Identifier: Apache-2.0 */
/** A change of a fused matrix, cut into its parts: each part gets the rows of the whole change that are its own, by every kind
 *  of change. That changes are right is tests/parity/loras.c. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nn/weight_change.h"
#include "pipeline/engine.h"
#include "temporary_folder.h"

enum { ROWS = 6, COLUMNS = 4, THIRDS = 3 };

static pld_engine *engine;

/* Modules of a fused matrix [6, 4], a LoRA of rank 2, a LoHa, a LoKr, and a difference with one of the bias [6]. Their
 * numbers are the bytes 0, 1, 2, … as 8-bit floats. */
static const char header[] =
    "{\"lora_unet_a.lora_down.weight\":{\"dtype\":\"F8_E4M3\",\"shape\":[2,4],\"data_offsets\":[0,8]},"
    "\"lora_unet_a.lora_up.weight\":{\"dtype\":\"F8_E4M3\",\"shape\":[6,2],\"data_offsets\":[8,20]},"
    "\"lora_unet_b.hada_w1_a\":{\"dtype\":\"F8_E4M3\",\"shape\":[6,2],\"data_offsets\":[20,32]},"
    "\"lora_unet_b.hada_w1_b\":{\"dtype\":\"F8_E4M3\",\"shape\":[2,4],\"data_offsets\":[32,40]},"
    "\"lora_unet_b.hada_w2_a\":{\"dtype\":\"F8_E4M3\",\"shape\":[6,2],\"data_offsets\":[40,52]},"
    "\"lora_unet_b.hada_w2_b\":{\"dtype\":\"F8_E4M3\",\"shape\":[2,4],\"data_offsets\":[52,60]},"
    "\"lora_unet_c.lokr_w1\":{\"dtype\":\"F8_E4M3\",\"shape\":[2,2],\"data_offsets\":[60,64]},"
    "\"lora_unet_c.lokr_w2\":{\"dtype\":\"F8_E4M3\",\"shape\":[3,2],\"data_offsets\":[64,70]},"
    "\"lora_unet_d.diff\":{\"dtype\":\"F8_E4M3\",\"shape\":[6,4],\"data_offsets\":[70,94]},"
    "\"lora_unet_d.diff_b\":{\"dtype\":\"F8_E4M3\",\"shape\":[6],\"data_offsets\":[94,100]},"
    "\"lora_unet_e.dora_scale\":{\"dtype\":\"F8_E4M3\",\"shape\":[6,1],\"data_offsets\":[100,106]},"
    "\"lora_unet_e.lora_down.weight\":{\"dtype\":\"F8_E4M3\",\"shape\":[1,4],\"data_offsets\":[106,110]},"
    "\"lora_unet_e.lora_up.weight\":{\"dtype\":\"F8_E4M3\",\"shape\":[6,1],\"data_offsets\":[110,116]}}";
enum { BYTES = 116, MODULES = 5, DORA = 4 };

static pld_lora_file *open_file(void) {
    pld_lora_file *file = NULL;
    pld_error error = {0};
    if (pld_lora_file_open(write_safetensors("lora", header, 0, BYTES), &file, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    assert_int_equal(pld_lora_file_count(file), MODULES);
    return file;
}

/** Add the change to zeros of a weight with `rows` rows, or its bias. */
static void apply(const pld_weight_change *change, int64_t rows, float *values) {
    const int64_t size[] = {rows, COLUMNS};
    const pld_weight_shape shape = pld_weight_shape_of(size, change->bias ? 1 : 2);
    pld_error error = {0};
    memset(values, 0, ROWS * COLUMNS * sizeof *values);
    if (pld_weight_change_check(change, &shape, &error) != PLD_OK ||
        pld_weight_change_apply(change, &shape, &engine->device->weights, values, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
}

/** The parts of one change, and both halves in the other order, against the whole. */
static void compare_parts(pld_weight_change change) {
    const size_t row = change.bias ? 1 : COLUMNS, part = ROWS / THIRDS * row, half = ROWS / 2 * row;
    float whole[ROWS * COLUMNS], found[ROWS * COLUMNS];
    bool any = false;
    apply(&change, ROWS, whole);
    for (size_t i = 0; i < ROWS * row; i++) {
        any = any || whole[i] != 0;
    }
    assert_true(any);
    for (int third = 0; third < THIRDS; third++) {
        change.rows = (pld_row_part){third, 1, THIRDS};
        apply(&change, ROWS / THIRDS, found);
        assert_memory_equal(found, whole + (size_t)third * part, part * sizeof *found);
    }
    change.rows = (pld_row_part){1, 2, THIRDS};
    apply(&change, 2 * ROWS / THIRDS, found);
    assert_memory_equal(found, whole + part, 2 * part * sizeof *found);
    change.rows = (pld_row_part){1, 2, 2};
    apply(&change, ROWS, found);
    assert_memory_equal(found, whole + half, half * sizeof *found);
    assert_memory_equal(found + half, whole, half * sizeof *found);
}

static void parts_get_their_rows(void **state) {
    (void)state;
    pld_lora_file *file = open_file();
    for (size_t i = 0; i < DORA; i++) {
        const pld_lora_module *module = pld_lora_file_at(file, i);
        compare_parts((pld_weight_change){.file = file, .module = module, .strength = 0.5});
        if (module->factors[PLD_LORA_BIAS_DIFFERENCE]) {
            compare_parts((pld_weight_change){.file = file, .module = module, .strength = 0.5, .bias = true});
        }
    }
    pld_lora_file_close(&file);
}

static void what_has_no_parts_is_refused(void **state) {
    (void)state;
    pld_lora_file *file = open_file();
    pld_weight_change change = {
        .file = file, .module = pld_lora_file_at(file, DORA), .strength = 1, .rows = {0, 1, THIRDS}};
    pld_error error = {0};
    const int64_t size[] = {ROWS / THIRDS, COLUMNS}, other[] = {ROWS, COLUMNS};
    pld_weight_shape shape = pld_weight_shape_of(size, 2);
    assert_int_equal(pld_weight_change_check(&change, &shape, &error), PLD_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "a DoRA of a fused matrix"));
    change.module = pld_lora_file_at(file, 0);
    shape = pld_weight_shape_of(other, 2); /* as many rows as the whole matrix has */
    assert_int_equal(pld_weight_change_check(&change, &shape, &error), PLD_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "expected shape [18, 2]"));
    change.rows = (pld_row_part){3, 4, 7};
    assert_int_equal(pld_weight_change_check(&change, &shape, &error), PLD_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "divisible by 4"));
    pld_lora_file_close(&file);
}

static int start(void **state) {
    pld_engine_options options;
    pld_engine_options_init(&options, sizeof options);
    return pld_engine_create(&options, &engine, NULL) == PLD_OK ? make_temporary_folder(state) : -1;
}

static int stop(void **state) {
    pld_engine_destroy(&engine);
    return remove_temporary_folder(state);
}

/** What a change takes beside the values: copies of them, and all rows of a fused matrix. */
static void room_is_counted(void **state) {
    (void)state;
    static const size_t copies[MODULES] = {0, 2, 1, 1, 1};
    pld_lora_file *file = open_file();
    for (size_t i = 0; i < MODULES; i++) {
        pld_weight_change change = {.file = file, .module = pld_lora_file_at(file, i), .strength = 1};
        const int64_t size[] = {ROWS, COLUMNS};
        const pld_weight_shape whole = pld_weight_shape_of(size, 2);
        assert_int_equal(pld_weight_change_room(&change, &whole), copies[i] * ROWS * COLUMNS * sizeof(float));
        const int64_t third[] = {ROWS / THIRDS, COLUMNS};
        const pld_weight_shape part = pld_weight_shape_of(third, 2);
        change.rows = (pld_row_part){1, 1, THIRDS};
        const size_t expected = change.module->kind == PLD_KIND_LORA ? copies[i] : copies[i] + 1;
        assert_int_equal(pld_weight_change_room(&change, &part), expected * ROWS * COLUMNS * sizeof(float));
    }
    pld_lora_file_close(&file);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(parts_get_their_rows),
                                       cmocka_unit_test(what_has_no_parts_is_refused),
                                       cmocka_unit_test(room_is_counted)};
    return cmocka_run_group_tests(tests, start, stop);
}
