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

/** An estimate with its 95 % confidence interval. */
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

/** The score interval of a share (Wilson, JASA 22:209, 1927). `pictures` is how many independent ones the
 * share is worth; with several seeds of a prompt that is fewer than were drawn (effective sample size; Korn
 * and Graubard, Survey Methodology 24:193, 1998). Has a width at 0 and 1 too. */
interval interval_of_share(double share, double pictures);

/** The interval of a mean of paired differences in [-1, 1]: one pair that is 1 better and one that is 1 worse
 * are added to those that were seen, then the normal interval is taken (Bonett and Price, Journal of
 * Educational and Behavioral Statistics 37:479, 2012). Has a width where no pair differs, and where all do,
 * which a bootstrap of pairs has not. */
interval interval_of_difference(double sum, double sum_of_squares, double pairs);

/** A prompt's value is the mean over its seeds. `statistics` [settings->count]. False after an error line. */
bool statistics_make(const outcomes *o, const prompt_set *prompts, const evaluate_settings *settings,
                     setting_statistics *statistics);

#endif
