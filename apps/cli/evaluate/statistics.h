/* SPDX-License-Identifier: Apache-2.0 */
/** Shares of prompts that hold, with confidence intervals. */
#ifndef PLADIS_CLI_EVALUATE_STATISTICS_H
#define PLADIS_CLI_EVALUATE_STATISTICS_H

#include "evaluate/outcomes.h"
#include "evaluate/prompt_set.h"
#include "evaluate/settings.h"

/** All prompts, then those of each pld_category. */
enum { GROUP_ALL = 0, GROUP_COUNT = 1 + PLD_CATEGORY_COUNT };

/** "all" or the category's name. */
const char *group_name(int group);

/** A mean with the 2.5th and 97.5th percentile of its bootstrap distribution. */
typedef struct interval {
    double mean, low, high;
} interval;

typedef struct setting_statistics {
    size_t prompts[GROUP_COUNT];
    interval alignment[GROUP_COUNT];  /**< share of pictures for which the whole caption holds */
    interval difference[GROUP_COUNT]; /**< of that from the baseline's */
    double aspects[PLD_ASPECT_COUNT]; /**< share of pictures, of those whose caption asks; NaN: none does */
    double denoise_seconds, seconds;  /**< medians of a picture */
    double evaluations;               /**< of the network, mean of a picture */
} setting_statistics;

/** Paired bootstrap over prompts (Efron and Tibshirani, 1993, chapter 13: percentile intervals): each of
 * `resamples` rounds draws as many prompts of each category as there are, with replacement, the same ones for
 * every setting. A prompt's value is the mean over its seeds. The generator's seed is fixed, so results
 * repeat. `statistics` [settings->count]. False after an error line. */
bool statistics_make(const outcomes *o, const prompt_set *prompts, const evaluate_settings *settings,
                     size_t resamples, setting_statistics *statistics);

#endif
