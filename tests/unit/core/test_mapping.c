/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/mapping.h"
#include "core/memory.h"
#include "temporary_folder.h"

enum { SIZE = 3 * 4096 + 100 };

static pld_error error;

static const char *write_pattern(void) {
    static uint8_t bytes[SIZE];
    for (size_t i = 0; i < SIZE; i++) {
        bytes[i] = (uint8_t)(i % 251);
    }
    return write_bytes("pattern", bytes, SIZE);
}

static void reading_and_mapping_agree(void **state) {
    (void)state;
    const char *path = write_pattern();
    pld_mapping *file = NULL;
    assert_int_equal(pld_mapping_open(path, &file, &error), PLD_OK);
    assert_string_equal(pld_mapping_path(file), path);
    assert_int_equal(pld_mapping_size(file), SIZE);
    const uint8_t *data = NULL;
    const uint8_t *again = NULL;
    assert_int_equal(pld_mapping_data(file, &data, &error), PLD_OK);
    assert_int_equal(pld_mapping_data(file, &again, &error), PLD_OK);
    assert_ptr_equal(data, again);
    uint8_t bytes[5000];
    assert_int_equal(pld_mapping_read(file, 3000, sizeof bytes, bytes, "part", &error), PLD_OK);
    assert_memory_equal(bytes, data + 3000, sizeof bytes);
    pld_mapping_drop(file, 0, SIZE);
    pld_mapping_drop(file, 10, 20);
    pld_mapping_drop(file, SIZE, UINT64_MAX);
    assert_memory_equal(bytes, data + 3000, sizeof bytes); /* comes back from the file */
    pld_mapping_close(&file);
    assert_null(file);
    pld_mapping_close(&file);
}

static void reading_past_the_end_is_an_error(void **state) {
    (void)state;
    pld_mapping *file = NULL;
    uint8_t bytes[16];
    assert_int_equal(pld_mapping_open(write_pattern(), &file, &error), PLD_OK);
    assert_int_equal(pld_mapping_read(file, SIZE - 16, 16, bytes, "tail", &error), PLD_OK);
    assert_int_equal(pld_mapping_read(file, SIZE - 15, 16, bytes, "tail", &error), PLD_ERROR_IO);
    assert_non_null(strstr(error.message, "tail: expected 16 bytes"));
    assert_int_equal(pld_mapping_read(file, UINT64_MAX / 2, 1, bytes, NULL, &error), PLD_ERROR_IO);
    assert_int_equal(pld_mapping_read(file, UINT64_MAX - 5, 1, bytes, NULL, &error), PLD_ERROR_IO);
    pld_mapping_close(&file);
}

static void empty_files_have_no_pages(void **state) {
    (void)state;
    pld_mapping *file = NULL;
    const uint8_t *data = NULL;
    assert_int_equal(pld_mapping_open(write_text("empty", ""), &file, &error), PLD_OK);
    assert_int_equal(pld_mapping_data(file, &data, &error), PLD_OK);
    assert_null(data);
    pld_mapping_drop(file, 0, 0);
    pld_mapping_close(&file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_and_mapping_agree),
        cmocka_unit_test(reading_past_the_end_is_an_error),
        cmocka_unit_test(empty_files_have_no_pages),
    };
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
