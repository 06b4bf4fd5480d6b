/* SPDX-License-Identifier: Apache-2.0 */
#include "evaluate/statistics.h"

#include <math.h>
#include <stdlib.h>

#include "terminal/message.h"

const char *group_name(int group) {
    return group == GROUP_ALL ? "all" : pld_world_word(PLD_WORLD_CATEGORIES, group - 1);
}

/** Standard normal quantile of 97.5 %. */
static const double normal_quantile = 1.959963984540054;

interval interval_of_share(double share, double pictures) {
    const double z = normal_quantile, spread = z * z / pictures;
    const double middle = (share + spread / 2) / (1 + spread);
    const double half = z / (1 + spread) * sqrt(share * (1 - share) / pictures + spread / (4 * pictures));
    return (interval){share, fmax(middle - half, 0), fmin(middle + half, 1)};
}

interval interval_of_difference(double sum, double sum_of_squares, double pairs) {
    const double count = pairs + 2, middle = sum / count;
    const double variance = (sum_of_squares + 2) / count - middle * middle;
    const double half = normal_quantile * sqrt(variance / count);
    return (interval){sum / pairs, fmax(middle - half, -1), fmin(middle + half, 1)};
}

/** Hits of a prompt in a setting: pictures for which all holds. */
static size_t count_hits(const outcomes *o, size_t prompt, size_t setting) {
    size_t hits = 0;
    for (size_t seed = 0; seed < o->seeds; seed++) {
        hits += o->items[(prompt * o->seeds + seed) * o->settings + setting].verdict[PLD_ASPECT_ALL] == 1;
    }
    return hits;
}

/** Sums over the prompts of a group. */
typedef struct prompt_sums {
    double prompts, values, squares;        /* of the prompts' values */
    double differences, difference_squares; /* from the baseline's */
} prompt_sums;

static prompt_sums add_up(const outcomes *o, const prompt_set *prompts, int group, size_t setting,
                          size_t baseline) {
    prompt_sums sums = {0};
    for (size_t p = 0; p < o->prompts; p++) {
        if (group != GROUP_ALL && 1 + (int)prompts->items[p].caption.category != group) {
            continue;
        }
        const double value = (double)count_hits(o, p, setting) / (double)o->seeds;
        const double difference = value - (double)count_hits(o, p, baseline) / (double)o->seeds;
        sums.prompts++;
        sums.values += value;
        sums.squares += value * value;
        sums.differences += difference;
        sums.difference_squares += difference * difference;
    }
    return sums;
}

/** How many independent pictures the prompts of a group are worth: as many as would spread as they do, at
 * least one for each prompt and at most all that were drawn. Where all or none hold the spread says nothing:
 * one for each prompt. */
static double effective_pictures(const prompt_sums *sums, size_t seeds) {
    const double n = sums->prompts, share = sums->values / n, most = n * (double)seeds;
    if (share <= 0 || share >= 1 || n < 2) {
        return n;
    }
    const double variance = fmax(sums->squares / n - share * share, 0) / (n - 1);
    const double worth = variance > share * (1 - share) / most ? share * (1 - share) / variance : most;
    return fmax(worth, n);
}

static int compare_numbers(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count) {
    qsort(values, count, sizeof *values, compare_numbers);
    return count > 0 ? (values[(count - 1) / 2] + values[count / 2]) / 2 : 0;
}

/** Aspects and cost: plain means and medians over the pictures of a setting. */
static void describe(const outcomes *o, size_t setting, double *scratch, setting_statistics *s) {
    const size_t pictures = o->prompts * o->seeds;
    double evaluations = 0;
    for (int aspect = 0; aspect < PLD_ASPECT_COUNT; aspect++) {
        size_t asked = 0, held = 0;
        for (size_t i = 0; i < pictures; i++) {
            const int8_t verdict = o->items[i * o->settings + setting].verdict[aspect];
            asked += verdict != PLD_ANY;
            held += verdict == 1;
        }
        s->aspects[aspect] = asked > 0 ? (double)held / (double)asked : NAN;
    }
    for (size_t i = 0; i < pictures; i++) {
        scratch[i] = o->items[i * o->settings + setting].denoise_seconds;
        evaluations += o->items[i * o->settings + setting].evaluations;
    }
    s->denoise_seconds = median(scratch, pictures);
    for (size_t i = 0; i < pictures; i++) {
        scratch[i] = o->items[i * o->settings + setting].seconds;
    }
    s->seconds = median(scratch, pictures);
    s->evaluations = evaluations / (double)pictures;
}

/** Alignment of a setting in a group, and its difference from the baseline. */
static void compare(const outcomes *o, const prompt_set *prompts, int group, size_t setting, size_t baseline,
                    setting_statistics *s) {
    const prompt_sums sums = add_up(o, prompts, group, setting, baseline);
    s->prompts[group] = (size_t)sums.prompts;
    s->alignment[group] = s->difference[group] = (interval){0};
    if (sums.prompts > 0) {
        s->alignment[group] =
            interval_of_share(sums.values / sums.prompts, effective_pictures(&sums, o->seeds));
    }
    if (sums.prompts > 0 && setting != baseline) {
        s->difference[group] =
            interval_of_difference(sums.differences, sums.difference_squares, sums.prompts);
    }
}

bool statistics_make(const outcomes *o, const prompt_set *prompts, const evaluate_settings *settings,
                     setting_statistics *statistics) {
    double *scratch = calloc(o->prompts * o->seeds, sizeof *scratch);
    if (scratch == NULL) {
        message_failure("out of memory for the statistics of %zu pictures", outcomes_count(o));
        return false;
    }
    for (size_t s = 0; s < settings->count; s++) {
        for (int g = 0; g < GROUP_COUNT; g++) {
            compare(o, prompts, g, s, settings->items[s].baseline, &statistics[s]);
        }
        describe(o, s, scratch, &statistics[s]);
    }
    free(scratch);
    return true;
}
