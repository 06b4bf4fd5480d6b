/* SPDX-License-Identifier: Apache-2.0 */
#include "evaluate/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

const char *group_name(int group) {
    return group == GROUP_ALL ? "all" : pld_world_word(PLD_WORLD_CATEGORIES, group - 1);
}

/** splitmix64 (Steele, Lea and Flood, OOPSLA 2014). */
static uint64_t next_random(uint64_t *state) {
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/** A number in [0, limit). */
static size_t random_below(uint64_t *state, size_t limit) {
    return (size_t)(((next_random(state) >> 32) * (uint64_t)limit) >> 32);
}

typedef struct bootstrap {
    const outcomes *o;
    size_t settings, rounds;
    uint8_t *hits;                /* [prompts, settings]: pictures of the prompt for which all holds */
    size_t *members[GROUP_COUNT]; /* prompts of a group */
    size_t member_count[GROUP_COUNT];
    uint32_t *sums; /* [GROUP_COUNT, settings]: hits of one round */
    float *means;   /* [GROUP_COUNT, settings, rounds] */
    double *sorted; /* [rounds] */
} bootstrap;

static void bootstrap_free(bootstrap *b) {
    for (int g = 0; g < GROUP_COUNT; g++) {
        free(b->members[g]);
    }
    free(b->hits);
    free(b->sums);
    free(b->means);
    free(b->sorted);
}

static bool bootstrap_begin(bootstrap *b, const prompt_set *prompts) {
    const outcomes *o = b->o;
    b->hits = calloc(o->prompts * b->settings, sizeof *b->hits);
    b->sums = calloc(GROUP_COUNT * b->settings, sizeof *b->sums);
    b->means = calloc(GROUP_COUNT * b->settings * b->rounds, sizeof *b->means);
    b->sorted = calloc(b->rounds, sizeof *b->sorted);
    bool done = b->hits != NULL && b->sums != NULL && b->means != NULL && b->sorted != NULL;
    for (int g = 0; g < GROUP_COUNT; g++) {
        b->members[g] = calloc(o->prompts, sizeof *b->members[g]);
        done = done && b->members[g] != NULL;
    }
    if (!done) {
        message_failure("out of memory for %zu resamples of %zu settings", b->rounds, b->settings);
        return false;
    }
    for (size_t p = 0; p < o->prompts; p++) {
        const int group = 1 + (int)prompts->items[p].caption.category;
        b->members[GROUP_ALL][b->member_count[GROUP_ALL]++] = p;
        b->members[group][b->member_count[group]++] = p;
        for (size_t i = 0; i < o->seeds * b->settings; i++) {
            const outcome *came = &o->items[p * o->seeds * b->settings + i];
            uint8_t *hits = &b->hits[p * b->settings + i % b->settings];
            *hits = (uint8_t)(*hits + (came->verdict[PLD_ASPECT_ALL] == 1)); /* at most 250 seeds */
        }
    }
    return true;
}

static void add_prompt(bootstrap *b, int group, size_t prompt) {
    const uint8_t *hits = b->hits + prompt * b->settings;
    uint32_t *sums = b->sums + (size_t)group * b->settings;
    for (size_t s = 0; s < b->settings; s++) {
        sums[s] += hits[s];
    }
}

/** Sums over all prompts from those over the categories, then shares. */
static void finish_round(bootstrap *b, float *means, size_t stride) {
    for (size_t s = 0; s < b->settings; s++) {
        b->sums[s] = 0;
        for (int g = 1; g < GROUP_COUNT; g++) {
            b->sums[s] += b->sums[(size_t)g * b->settings + s];
        }
        for (int g = 0; g < GROUP_COUNT; g++) {
            const double pictures = (double)(b->member_count[g] * b->o->seeds);
            const size_t at = (size_t)g * b->settings + s;
            means[at * stride] = pictures > 0 ? (float)(b->sums[at] / pictures) : 0;
        }
    }
}

static void run_rounds(bootstrap *b) {
    uint64_t state = 1;
    for (size_t round = 0; round < b->rounds; round++) {
        memset(b->sums, 0, GROUP_COUNT * b->settings * sizeof *b->sums);
        for (int g = 1; g < GROUP_COUNT; g++) {
            for (size_t i = 0; i < b->member_count[g]; i++) {
                add_prompt(b, g, b->members[g][random_below(&state, b->member_count[g])]);
            }
        }
        finish_round(b, b->means + round, b->rounds);
    }
}

static int compare_numbers(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/** Percentiles of the rounds of one setting less those of another (the same one: of itself alone). */
static interval make_interval(bootstrap *b, int group, size_t setting, size_t other, double mean) {
    const float *own = b->means + ((size_t)group * b->settings + setting) * b->rounds;
    const float *from = b->means + ((size_t)group * b->settings + other) * b->rounds;
    for (size_t i = 0; i < b->rounds; i++) {
        b->sorted[i] = (double)own[i] - (setting == other ? 0 : (double)from[i]);
    }
    qsort(b->sorted, b->rounds, sizeof *b->sorted, compare_numbers);
    const size_t outside = (size_t)(0.025 * (double)b->rounds);
    return (interval){mean, b->sorted[outside], b->sorted[b->rounds - 1 - outside]};
}

static double share(const bootstrap *b, int group, size_t setting) {
    size_t hits = 0;
    for (size_t i = 0; i < b->member_count[group]; i++) {
        hits += b->hits[b->members[group][i] * b->settings + setting];
    }
    const size_t pictures = b->member_count[group] * b->o->seeds;
    return pictures > 0 ? (double)hits / (double)pictures : 0;
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

bool statistics_make(const outcomes *o, const prompt_set *prompts, const evaluate_settings *settings,
                     size_t resamples, setting_statistics *statistics) {
    bootstrap b = {.o = o, .settings = settings->count, .rounds = resamples};
    double *scratch = calloc(o->prompts * o->seeds, sizeof *scratch);
    bool done = bootstrap_begin(&b, prompts) && scratch != NULL;
    if (done) {
        run_rounds(&b);
    }
    for (size_t s = 0; done && s < settings->count; s++) {
        const size_t baseline = settings->items[s].baseline;
        for (int g = 0; g < GROUP_COUNT; g++) {
            const double mean = share(&b, g, s), other = share(&b, g, baseline);
            statistics[s].prompts[g] = b.member_count[g];
            statistics[s].alignment[g] = make_interval(&b, g, s, s, mean);
            statistics[s].difference[g] =
                s == baseline ? (interval){0} : make_interval(&b, g, s, baseline, mean - other);
        }
        describe(o, s, scratch, &statistics[s]);
    }
    free(scratch);
    bootstrap_free(&b);
    return done;
}
