/* SPDX-License-Identifier: Apache-2.0 */
/* Where a plan's values lie. Plans without parameters are laid out and not run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nn/build.h"

/** x [1, 8·8, 64] → y [.., 32] in x's place, or not, if something reads x later. */
static void build_narrow(bool read_later, pld_plan *plan, pld_value_id *x, pld_value_id *y) {
    pld_error error = {0};
    pld_builder b;
    pld_plan_init(plan, NULL);
    pld_builder_init(&b, plan, &error);
    const pld_value_id in = pld_input(&b, 1, 8, 8, 64);
    *x = pld_linear(&b, "first", in, 64, PLD_BIAS);
    pld_product_options narrow = PLD_BIAS;
    narrow.narrow = true;
    *y = pld_linear(&b, "shortcut", *x, 32, narrow);
    pld_value_id out = pld_linear(&b, "last", *y, 64, PLD_BIAS);
    if (read_later) {
        out = pld_linear(&b, "sum", out, 64, pld_plus(*x));
    }
    pld_keep(&b, out);
    assert_int_equal(b.status, PLD_OK);
    assert_int_equal(pld_plan_layout(plan, &error), PLD_OK);
}

static bool overlap(const pld_value *a, const pld_value *b) {
    return a->offset < b->offset + pld_value_floats(b) && b->offset < a->offset + pld_value_floats(a);
}

static void narrow_takes_place(void **state) {
    (void)state;
    pld_plan plan;
    pld_value_id x, y;
    build_narrow(false, &plan, &x, &y);
    assert_int_equal(plan.values[y].offset, plan.values[x].offset);
    /* what is written while y is wanted lies elsewhere */
    for (size_t i = 0; i < plan.value_count; i++) {
        if ((pld_value_id)i != x && (pld_value_id)i != y) {
            assert_false(overlap(&plan.values[i], &plan.values[y]));
        }
    }
    pld_plan_free(&plan);
}

static void narrow_keeps_what_is_read(void **state) {
    (void)state;
    pld_plan plan;
    pld_value_id x, y;
    build_narrow(true, &plan, &x, &y);
    assert_false(overlap(&plan.values[x], &plan.values[y]));
    pld_plan_free(&plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(narrow_takes_place),
        cmocka_unit_test(narrow_keeps_what_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
