/* SPDX-License-Identifier: Apache-2.0 */
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
    assert_string_equal(error.message, "tensor 'a?[31m?b'");
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

static void dtypes_keep_their_names(void **state) {
    (void)state;
    assert_int_equal(pld_dtype_from_stored_name("BF16"), PLD_DTYPE_BF16);
    assert_int_equal(pld_dtype_size(PLD_DTYPE_F64), 8);
    assert_int_equal(pld_dtype_from_stored_name("F5"), PLD_DTYPE_COUNT);
    size_t bytes = 0;
    assert_true(pld_dtype_bytes(PLD_DTYPE_F4, 6, &bytes) && bytes == 3);
    assert_true(pld_dtype_bytes(PLD_DTYPE_F6_E2M3, 4, &bytes) && bytes == 3);
    assert_false(pld_dtype_bytes(PLD_DTYPE_F4, 5, &bytes));
    assert_false(pld_dtype_bytes(PLD_DTYPE_F64, SIZE_MAX / 32, &bytes));
    assert_int_equal(pld_dtype_elements(PLD_DTYPE_F4, SIZE_MAX / 4), SIZE_MAX / 4 * 2);
    assert_int_equal(pld_dtype_elements(PLD_DTYPE_F6_E3M2, 3), 4);
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
        cmocka_unit_test(parallel_for_visits_each_item_once),
        cmocka_unit_test(memory_growth_zeroes_and_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
