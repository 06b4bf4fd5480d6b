/* SPDX-License-Identifier: Apache-2.0 */
/** What came of each picture of an evaluation. */
#ifndef PLADIS_CLI_EVALUATE_OUTCOMES_H
#define PLADIS_CLI_EVALUATE_OUTCOMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pladis/scoring.h>

typedef struct outcome {
    bool done;
    int8_t verdict[PLD_ASPECT_COUNT]; /**< 1, 0 or PLD_ANY */
    int evaluations;                  /**< of the network */
    double denoise_seconds, seconds;  /**< all stages in `seconds` */
} outcome;

/** A picture's place in the evaluation. */
typedef struct picture_place {
    size_t setting, prompt, repetition;
} picture_place;

/** [prompts, seeds, settings] */
typedef struct outcomes {
    outcome *items;
    size_t prompts, seeds, settings, done;
} outcomes;

static inline size_t outcomes_count(const outcomes *o) {
    return o->prompts * o->seeds * o->settings;
}

static inline size_t outcomes_index(const outcomes *o, picture_place at) {
    return (at.prompt * o->seeds + at.repetition) * o->settings + at.setting;
}

static inline picture_place outcomes_place(const outcomes *o, size_t index) {
    return (picture_place){index % o->settings, index / o->settings / o->seeds,
                           index / o->settings % o->seeds};
}

#endif
