/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "pictures/cost.h"

/** A picture whose calls take `seconds`, `noise` more for every second of them; the first takes a second. */
static call_times make(size_t calls, double seconds, double noise) {
    call_times times = {0};
    double now = 0.5;
    call_times_note(&times, 0, now);
    for (size_t i = 0; i < calls; i++) {
        now += i == 0 ? 1 : seconds + (i % 2 ? noise : 0);
        call_times_note(&times, (int)i + 1, now);
    }
    assert_int_equal(times.count, calls);
    return times;
}

/** One picture without, `pictures` with. */
static bool measure(call_times without, call_times with, size_t pictures, pladis_cost *cost) {
    const call_times *off[] = {&without}, *on[] = {&with, &with, &with};
    bool certain = pladis_cost_measure(off, 1, on, pictures, cost);
    call_times_free(&without);
    call_times_free(&with);
    return certain;
}

/** The figures are those of one picture, however many there are. */
static void cost_is_per_picture(void **state) {
    (void)state;
    pladis_cost cost;
    for (size_t pictures = 1; pictures <= 3; pictures++) {
        assert_true(measure(make(10, 0.1, 0), make(10, 0.11, 0), pictures, &cost));
        assert_true(fabs(cost.without - 1.0) < 1e-9);
        assert_true(fabs(cost.with - 1.1) < 1e-9);
    }
}

static void noise_is_silent(void **state) {
    (void)state;
    pladis_cost cost;
    assert_true(measure(make(20, 0.1, 0.005), make(20, 0.11, 0.005), 1, &cost));
    assert_false(measure(make(20, 0.1, 0.05), make(20, 0.11, 0.05), 1, &cost)); /* a busy machine */
    assert_false(measure(make(20, 0.11, 0), make(20, 0.1, 0), 1, &cost)); /* PLADIS makes nothing faster */
    assert_false(measure(make(20, 0.1, 0), make(20, 0.1, 0), 1, &cost));
    assert_false(measure(make(5, 0.1, 0), make(20, 0.2, 0), 1, &cost)); /* four calls that count */
    assert_true(measure(make(6, 0.1, 0), make(6, 0.2, 0), 1, &cost));
    /* A machine that becomes busy half-way: the second half of the picture without is as slow as the one
     * with. */
    call_times drifting = make(20, 0.1, 0);
    for (size_t i = 10; i < 20; i++) {
        drifting.seconds[i] = 0.12;
    }
    assert_false(measure(drifting, make(20, 0.11, 0), 1, &cost));
    assert_false(measure((call_times){0}, make(20, 0.2, 0), 1, &cost));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cost_is_per_picture),
        cmocka_unit_test(noise_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
