/* SPDX-License-Identifier: Apache-2.0 */
/* The bootstrap of pladis evaluate where its distribution is known: resampled shares of n prompts are
 * binomial, and so are paired differences where a setting wins on some prompts and loses on none. Quantiles
 * from scipy.stats.binom. */
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
static setting_statistics statistics[SETTINGS], again[SETTINGS];

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
    assert_true(statistics_make(&o, &set, &settings, 20000, result));
}

/** Quantiles of the bootstrap differ from the binomial's by at most a step of one prompt: 20,000 rounds. */
static void check(const interval *found, double mean, double low, double high, double prompts_of_group) {
    assert_true(fabs(found->mean - mean) < 1e-9);
    assert_true(fabs(found->low - low) < 1.01 / prompts_of_group);
    assert_true(fabs(found->high - high) < 1.01 / prompts_of_group);
}

static void intervals_are_binomial(void **state) {
    (void)state;
    compute(1, statistics);
    check(&statistics[0].alignment[1 + PLD_CATEGORY_SINGLE_OBJECT], 0.5, 0.43, 0.57, 200);
    check(&statistics[0].alignment[1 + PLD_CATEGORY_COUNTING], 0.2, 0.1, 0.32, 50);
    assert_int_equal(statistics[0].prompts[GROUP_ALL], PROMPTS);
    assert_int_equal(statistics[0].prompts[1 + PLD_CATEGORY_POSITION], 0);
    assert_true(fabs(statistics[0].alignment[GROUP_ALL].mean - 110.0 / 250) < 1e-9);
    /* strata of 200 and 50: variance 200/4 + 50*0.16 = 58 prompts */
    const double spread = 1.96 * sqrt(58) / 250;
    assert_true(fabs(statistics[0].alignment[GROUP_ALL].low - (0.44 - spread)) < 0.006);
    assert_true(fabs(statistics[0].alignment[GROUP_ALL].high - (0.44 + spread)) < 0.006);
}

/** Pairing takes the prompts out that both settings get right: 10 of 200 remain. */
static void differences_are_paired(void **state) {
    (void)state;
    compute(1, statistics);
    check(&statistics[1].difference[1 + PLD_CATEGORY_SINGLE_OBJECT], 0.05, 0.02, 0.08, 200);
    check(&statistics[1].difference[1 + PLD_CATEGORY_COUNTING], 0, 0, 0, 1e9);
    assert_true(statistics[0].difference[GROUP_ALL].high == 0 &&
                statistics[0].difference[GROUP_ALL].low == 0);
}

/** A prompt's value is the mean over its seeds, so half right with each prompt has no spread. */
static void seeds_are_averaged(void **state) {
    (void)state;
    compute(SEEDS, statistics);
    check(&statistics[2].alignment[GROUP_ALL], 0.5, 0.5, 0.5, 1e9);
    check(&statistics[0].alignment[1 + PLD_CATEGORY_SINGLE_OBJECT], 0.5, 0.43, 0.57, 200);
}

static void results_repeat(void **state) {
    (void)state;
    compute(1, statistics);
    compute(1, again);
    for (int i = 0; i < SETTINGS; i++) {
        assert_memory_equal(statistics[i].alignment, again[i].alignment, sizeof again[i].alignment);
        assert_memory_equal(statistics[i].difference, again[i].difference, sizeof again[i].difference);
    }
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
        cmocka_unit_test(intervals_are_binomial),     cmocka_unit_test(differences_are_paired),
        cmocka_unit_test(seeds_are_averaged),         cmocka_unit_test(results_repeat),
        cmocka_unit_test(aspects_and_cost_are_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
