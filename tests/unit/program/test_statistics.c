/* SPDX-License-Identifier: Apache-2.0 */
/* The confidence intervals of pladis evaluate. Wilson's are those of
 * scipy.stats.binomtest(...).proportion_ci(method= "wilson"); those of paired differences are computed by the
 * formula of Bonett and Price from the counts of pairs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "evaluate/statistics.h"

enum { PROMPTS = 250, FIRST = 200, SETTINGS = 3, SEEDS = 2 };

static outcome came[PROMPTS * SEEDS * SETTINGS];
static scored_prompt prompts[PROMPTS];
static setting_statistics statistics[SETTINGS];

/** 200 single objects, of which setting 0 gets 100 right and setting 1 the same and 10 more; 50 counted ones,
 * of which both get 10 right. Setting 2 gets everything right with the first seed and nothing with the
 * second. */
static void fill(size_t seeds) {
    memset(came, 0, sizeof came);
    for (size_t i = 0; i < PROMPTS; i++) {
        bool first = i < FIRST;
        prompts[i].caption.category = first ? PLD_CATEGORY_SINGLE_OBJECT : PLD_CATEGORY_COUNTING;
        for (size_t seed = 0; seed < seeds; seed++) {
            outcome *of_prompt = &came[(i * seeds + seed) * SETTINGS];
            of_prompt[0].verdict[PLD_ASPECT_ALL] = first ? i % 2 == 0 : i % 5 == 0;
            of_prompt[1].verdict[PLD_ASPECT_ALL] =
                (int8_t)(of_prompt[0].verdict[PLD_ASPECT_ALL] || (first && i % 20 == 1));
            of_prompt[2].verdict[PLD_ASPECT_ALL] = seed == 0;
            for (int j = 0; j < SETTINGS; j++) {
                of_prompt[j].verdict[PLD_ASPECT_POSITION] = PLD_ANY;
                of_prompt[j].verdict[PLD_ASPECT_SIZE] = first ? PLD_ANY : i % 5 == 0;
                of_prompt[j].denoise_seconds = (double)(i % 5) + j;
            }
        }
    }
}

static void compute(size_t seeds, setting_statistics *result) {
    static evaluate_setting items[SETTINGS];
    const evaluate_settings settings = {.items = items, .count = SETTINGS};
    const prompt_set set = {.items = prompts, .count = PROMPTS};
    const outcomes o = {came, PROMPTS, seeds, SETTINGS, PROMPTS * seeds * SETTINGS};
    fill(seeds);
    items[0].baseline = items[1].baseline = 0;
    items[2].baseline = 2;
    assert_true(statistics_make(&o, &set, &settings, result));
}

static void check(interval found, double mean, double low, double high) {
    assert_true(fabs(found.mean - mean) < 1e-9);
    assert_true(fabs(found.low - low) < 1e-9);
    assert_true(fabs(found.high - high) < 1e-9);
}

static void shares_have_wilsons_interval(void **state) {
    (void)state;
    compute(1, statistics);
    check(statistics[0].alignment[1 + PLD_CATEGORY_SINGLE_OBJECT], 0.5, 0.43136085960389187,
          0.5686391403961082);
    check(statistics[0].alignment[1 + PLD_CATEGORY_COUNTING], 0.2, 0.11243750015776106, 0.33037105932225413);
    check(statistics[0].alignment[GROUP_ALL], 0.44, 0.3798369781977385, 0.5019790177417148);
    assert_int_equal(statistics[0].prompts[GROUP_ALL], PROMPTS);
    assert_int_equal(statistics[0].prompts[1 + PLD_CATEGORY_POSITION], 0);
}

/** All right, or all wrong, is no certainty. */
static void ends_have_a_width(void **state) {
    (void)state;
    check(interval_of_share(1, 10), 1, 0.7224672001371109, 1);
    check(interval_of_share(0, 10), 0, 0, 0.27753279986288926);
    check(interval_of_share(1, 84), 1, 0.9562682715853401, 1);
    check(interval_of_difference(0, 0, 84), 0, -0.032230321496504136, 0.032230321496504136);
    check(interval_of_difference(1, 1, 84), 1 / 84.0, -0.027769439860821157, 0.05102525381430953);
    check(interval_of_difference(10, 10, 10), 1, 0.5205795584958712, 1);
    check(interval_of_difference(-10, 10, 10), -1, -1, -0.5205795584958712);
}

/** Pairing takes the prompts out that both settings get right: 10 of 200 remain. */
static void differences_are_paired(void **state) {
    (void)state;
    compute(1, statistics);
    check(statistics[1].difference[1 + PLD_CATEGORY_SINGLE_OBJECT], 0.05, 0.016594100525733874,
          0.08241580046436514);
    check(statistics[1].difference[1 + PLD_CATEGORY_COUNTING], 0, -0.053303993244218376,
          0.053303993244218376);
    check(statistics[1].difference[GROUP_ALL], 0.04, 0.013189245374565953, 0.06617583399051341);
    check(statistics[0].difference[GROUP_ALL], 0, 0, 0); /* from itself */
}

/** Seeds that always agree are worth one picture a prompt; seeds that make up for each other at most all of
 * them. */
static void seeds_count_for_what_they_are_worth(void **state) {
    (void)state;
    compute(SEEDS, statistics);
    check(statistics[0].alignment[1 + PLD_CATEGORY_SINGLE_OBJECT], 0.5, 0.43136085960389187,
          0.5686391403961082);
    check(statistics[2].alignment[GROUP_ALL], 0.5, 0.4563412653024843, 0.5436587346975157);
    for (size_t i = 0; i < PROMPTS * SEEDS; i++) {
        came[i * SETTINGS].verdict[PLD_ASPECT_ALL] = 1;
    }
    evaluate_setting item = {.baseline = 0};
    const outcomes o = {came, PROMPTS, SEEDS, SETTINGS, PROMPTS * SEEDS * SETTINGS};
    assert_true(statistics_make(&o, &(prompt_set){.items = prompts, .count = PROMPTS},
                                &(evaluate_settings){.items = &item, .count = 1}, statistics));
    check(statistics[0].alignment[GROUP_ALL], 1, 0.9848667005045553, 1); /* 250 of 250 */
}

static void aspects_and_cost_are_plain(void **state) {
    (void)state;
    compute(1, statistics);
    assert_true(isnan(statistics[0].aspects[PLD_ASPECT_POSITION]));
    assert_true(fabs(statistics[0].aspects[PLD_ASPECT_SIZE] - 0.2) < 1e-9);
    assert_true(fabs(statistics[0].denoise_seconds - 2) < 1e-9 &&
                fabs(statistics[1].denoise_seconds - 3) < 1e-9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_have_wilsons_interval), cmocka_unit_test(ends_have_a_width),
        cmocka_unit_test(differences_are_paired),       cmocka_unit_test(seeds_count_for_what_they_are_worth),
        cmocka_unit_test(aspects_and_cost_are_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
