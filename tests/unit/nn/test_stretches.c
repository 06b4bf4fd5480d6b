/* SPDX-License-Identifier: Apache-2.0 */
/** Which packed weights are resident and which are streamed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nn/stretches.h"

enum { COUNT = 200 };

/** Bytes of those that are resident. */
static uint64_t resident_of(const size_t *bytes, const bool *streamed, size_t count) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += streamed[i] ? 0 : bytes[i];
    }
    return sum;
}

static void all_fit(void **state) {
    (void)state;
    const size_t bytes[] = {64, 640, 0, 128};
    bool streamed[4];
    assert_int_equal(pld_stretches_choose(bytes, 4, 832, false, streamed), 0);
    assert_int_equal(resident_of(bytes, streamed, 4), 832);
    assert_int_equal(pld_stretches_choose(bytes, 4, 832, true, streamed), 0);
    assert_int_equal(resident_of(bytes, streamed, 4), 832);
    assert_true(pld_stretches_choose(bytes, 4, 831, true, streamed) >= 640);
    assert_int_equal(resident_of(bytes, streamed, 4), 0);
    assert_true(!streamed[2]); /* takes nothing, so it stays */
    assert_int_equal(pld_stretches_choose(NULL, 0, 0, false, NULL), 0);
}

/** Whatever the room, what is taken stays within it and the largest finds a place; with less than that everything is streamed. */
static void rooms_are_kept(void **state) {
    (void)state;
    size_t bytes[COUNT];
    bool streamed[COUNT];
    uint64_t all = 0, largest = 0;
    uint32_t number = 1;
    for (size_t i = 0; i < COUNT; i++) {
        number = number * 1664525U + 1013904223U;
        bytes[i] = (size_t)(number >> 20) % 40 * 64;
        all += bytes[i];
        largest = bytes[i] > largest ? bytes[i] : largest;
    }
    for (uint64_t room = 0; room < all + 1000; room += 37) {
        const uint64_t ahead = pld_stretches_choose(bytes, COUNT, room, false, streamed);
        const uint64_t kept = resident_of(bytes, streamed, COUNT);
        assert_true(room >= all ? ahead == 0 && kept == all : ahead > 0);
        assert_true(kept + ahead <= (room > largest ? room : largest));
        for (size_t i = 0; i < COUNT; i++) {
            assert_true(!streamed[i] || bytes[i] <= ahead);
        }
    }
}

/** Of equal weights as many are streamed in every part of the order. */
static void they_are_spread(void **state) {
    (void)state;
    size_t bytes[COUNT];
    bool streamed[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        bytes[i] = 1024;
    }
    const uint64_t ahead = pld_stretches_choose(bytes, COUNT, COUNT * 1024 / 2, false, streamed);
    const double share = (double)(COUNT * 1024 / 2 - ahead) / (COUNT * 1024);
    size_t kept = 0;
    for (size_t i = 0; i < COUNT; i++) {
        kept += !streamed[i];
        assert_true((double)kept <= share * (double)(i + 1) + 1e-6 &&
                    (double)kept > share * (double)(i + 1) - 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_fit), cmocka_unit_test(rooms_are_kept),
                                       cmocka_unit_test(they_are_spread)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
