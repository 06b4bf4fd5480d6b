/* SPDX-License-Identifier: Apache-2.0 */
/** What memory is available within a container's limit: files that the system keeps in memory do not count as used. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "pipeline/engine.h"
#include "temporary_folder.h"

#define GIB ((uint64_t)1 << 30)

static void put(const char *name, const char *text) {
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void files_are_not_used(void **state) {
    (void)state;
    put("memory.max", "8589934592\n");
    put("memory.current", "8585740288\n"); /* 4 MiB below the limit */
    put("memory.stat",
        "anon 1073741824\nfile 7511998464\nactive_file 4294967296\ninactive_file 3217031168\n");
    assert_int_equal(pld_available_within(16 * GIB, in_folder("memory")),
                     8589934592 - (8585740288 - 7511998464));
    assert_int_equal(pld_available_within(2 * GIB, in_folder("memory")), 2 * GIB);
}

static void full_is_not_unknown(void **state) {
    (void)state;
    put("memory.max", "1073741824\n");
    put("memory.current", "1073741824\n");
    put("memory.stat", "anon 1073741824\n");
    assert_int_equal(pld_available_within(16 * GIB, in_folder("memory")), 1);
}

static void without_a_limit(void **state) {
    (void)state;
    put("memory.max", "max\n");
    assert_int_equal(pld_available_within(3 * GIB, in_folder("memory")), 3 * GIB);
    assert_int_equal(pld_available_within(3 * GIB, in_folder("nothing")), 3 * GIB);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(files_are_not_used),
                                       cmocka_unit_test(full_is_not_unknown),
                                       cmocka_unit_test(without_a_limit)};
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
