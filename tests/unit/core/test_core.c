/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/dtype.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "core/status.h"
#include "core/tensor.h"

static void messages_carry_no_control_characters(void **state) {
    (void)state;
    pld_error error = {0};
    assert_int_equal(pld_fail(&error, PLD_ERROR_FORMAT, "tensor '%s'", "a\x1b[31m\nb"), PLD_ERROR_FORMAT);
    assert_string_equal(error.message, "tensor 'a?[31m b'");
    assert_int_equal(pld_fail(NULL, PLD_ERROR_IO, "dropped"), PLD_ERROR_IO);
}

static void shapes_are_multiplied_with_care(void **state) {
    (void)state;
    size_t elements = 0;
    assert_true(pld_shape_elements((int64_t[]){2, 3, 4}, 3, 4, &elements));
    assert_int_equal(elements, 24);
    assert_true(pld_shape_elements((int64_t[]){2, 0, 4}, 3, 4, &elements));
    assert_int_equal(elements, 0);
    assert_false(pld_shape_elements((int64_t[]){INT64_MAX, 4}, 2, 1, &elements));
    assert_false(pld_shape_elements((int64_t[]){INT64_MAX, 4, 0}, 3, 1, &elements));
    assert_false(pld_shape_elements((int64_t[]){INT64_MAX}, 1, 4, &elements));
    assert_false(pld_shape_elements((int64_t[]){-1, -1}, 2, 4, &elements));
    char text[64];
    assert_string_equal(pld_shape_text((int64_t[]){2, 77, 768}, 3, text, sizeof text), "[2, 77, 768]");
}

static void dtypes_have_values(void **state) {
    (void)state;
    /* the bytes are little endian */
    static const struct {
        pld_dtype dtype;
        unsigned char bytes[8];
        double value;
    } rows[] = {
        {PLD_DTYPE_F32, {0, 0, 0xc0, 0x3f}, 1.5},
        {PLD_DTYPE_F64, {0, 0, 0, 0, 0, 0, 0xf8, 0xbf}, -1.5},
        {PLD_DTYPE_F16, {0, 0x3e}, 1.5},
        {PLD_DTYPE_F16, {1, 0x80}, -0x1p-24},
        {PLD_DTYPE_F16, {0, 0x7c}, INFINITY},
        {PLD_DTYPE_F16, {0xff, 0x7b}, 65504},
        {PLD_DTYPE_BF16, {0xc0, 0x3f}, 1.5},
        {PLD_DTYPE_BF16, {0x80, 0xff}, -INFINITY},
        {PLD_DTYPE_BF16, {1, 0}, 0x1p-133},
        {PLD_DTYPE_F8_E4M3, {0x3c}, 1.5},
        {PLD_DTYPE_F8_E4M3, {0x7e}, 448}, /* the largest: no infinity */
        {PLD_DTYPE_F8_E4M3, {0x81}, -0x1p-9},
        {PLD_DTYPE_F8_E5M2, {0x3e}, 1.5},
        {PLD_DTYPE_F8_E5M2, {0x7b}, 57344},
        {PLD_DTYPE_F8_E5M2, {0x7c}, INFINITY},
        {PLD_DTYPE_F8_E5M2, {1}, 0x1p-16},
        {PLD_DTYPE_I64, {0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, -3},
        {PLD_DTYPE_I32, {0xfd, 0xff, 0xff, 0xff}, -3},
        {PLD_DTYPE_I16, {0xfd, 0xff}, -3},
        {PLD_DTYPE_I8, {0xfd}, -3},
        {PLD_DTYPE_U64, {0, 0, 0, 0, 0, 0, 0, 0x80}, 0x1p63},
        {PLD_DTYPE_U32, {0xfd, 0xff, 0xff, 0xff}, 4294967293.0},
        {PLD_DTYPE_U16, {0xfd, 0xff}, 65533},
        {PLD_DTYPE_U8, {0xfd}, 253},
        {PLD_DTYPE_BOOL, {1}, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(pld_dtype_value(rows[i].dtype, rows[i].bytes) == rows[i].value);
    }
    assert_true(isnan(pld_dtype_value(PLD_DTYPE_F8_E4M3, "\x7f")));
    assert_true(isnan(pld_dtype_value(PLD_DTYPE_F8_E5M2, "\x7d")));
    assert_true(isnan(pld_dtype_value(PLD_DTYPE_F16, "\x01\x7c")));
}

static void dtypes_keep_their_names(void **state) {
    (void)state;
    assert_int_equal(pld_dtype_from_stored_name("BF16"), PLD_DTYPE_BF16);
    assert_int_equal(pld_dtype_size(PLD_DTYPE_F64), 8);
    assert_int_equal(pld_dtype_from_stored_name("F5"), PLD_DTYPE_COUNT);
    size_t bytes = 0;
    assert_true(pld_dtype_bytes(PLD_DTYPE_F4, 6, &bytes) && bytes == 3);
    assert_true(pld_dtype_bytes(PLD_DTYPE_F6_E2M3, 4, &bytes) && bytes == 3);
    assert_false(pld_dtype_bytes(PLD_DTYPE_F4, 5, &bytes));
    assert_false(pld_dtype_bytes(PLD_DTYPE_F64, SIZE_MAX / 4, &bytes));
    assert_int_equal(pld_dtype_elements(PLD_DTYPE_F4, SIZE_MAX / 4), SIZE_MAX / 4 * 2);
    assert_int_equal(pld_dtype_elements(PLD_DTYPE_F6_E3M2, 3), 4);
    assert_true(pld_dtype_bytes(PLD_DTYPE_Q4_K, 512, &bytes) && bytes == 288);
    assert_false(pld_dtype_bytes(PLD_DTYPE_Q4_K, 320, &bytes));
    assert_int_equal(pld_dtype_elements(PLD_DTYPE_Q6_K, 420), 512);
    assert_int_equal(pld_dtype_from_stored_name("Q4_K"), PLD_DTYPE_COUNT); /* no type of safetensors */
}

static void count_items(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    int *hits = context;
    for (size_t i = begin; i < end; i++) {
        hits[i]++;
    }
}

static void parallel_for_visits_each_item_once(void **state) {
    (void)state;
    for (size_t count = 0; count < 20; count++) {
        int hits[20] = {0};
        pld_parallel_for(3, count, count_items, hits);
        for (size_t i = 0; i < 20; i++) {
            assert_int_equal(hits[i], i < count);
        }
    }
    assert_true(pld_available_threads() >= 1);
}

static void memory_growth_zeroes_and_refuses(void **state) {
    (void)state;
    int *items = NULL;
    size_t capacity = 0;
    assert_true(pld_grow((void **)&items, &capacity, 3, sizeof *items));
    assert_true(capacity >= 3 && items[2] == 0);
    assert_false(pld_grow((void **)&items, &capacity, SIZE_MAX / 2, sizeof *items));
    pld_free(items);
    pld_inject_allocation_failure(1);
    void *first = pld_allocate(1, 1);
    assert_non_null(first);
    assert_null(pld_allocate(1, 1));
    pld_free(first);
    assert_null(pld_allocate(SIZE_MAX, 2));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_carry_no_control_characters),
        cmocka_unit_test(shapes_are_multiplied_with_care),
        cmocka_unit_test(dtypes_keep_their_names),
        cmocka_unit_test(dtypes_have_values),
        cmocka_unit_test(parallel_for_visits_each_item_once),
        cmocka_unit_test(memory_growth_zeroes_and_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
