/* SPDX-License-Identifier: Apache-2.0 */
/** One picture of a run: what is drawn, and what came of it. */
#ifndef PLADIS_CLI_PICTURES_PICTURE_H
#define PLADIS_CLI_PICTURES_PICTURE_H

#include <jansson.h>

#include "pictures/cost.h"
#include "request/sweep.h"

typedef struct picture {
    const generate_request *settings; /**< all options of this picture; prompt, seed and λ stand below */
    const char *label;                /**< what sets it apart from its neighbours, or "" */
    const char *prompt;
    int64_t seed;
    double pladis_scale; /**< λ in force; NaN until the model is open where it is the model's own */
    json_t *loras;       /**< in force, as lora_set_describe gives them; NULL until it is drawn */
    pld_image image;
    pld_report report;
    call_times calls;
    bool drawn;
} picture;

enum { PICTURE_LABEL = 160, PICTURE_AXES = 2 };

/** The options of some pictures of a run, and how they are called. */
typedef struct picture_variant {
    generate_request settings;
    char label[PICTURE_LABEL];
} picture_variant;

/** All pictures of a run: each prompt with each seed in each variant, the variants beside each other. */
typedef struct picture_list {
    picture *items;
    size_t count;
    picture_variant *variants;
    size_t variant_count;
    sweep_axis compared;                  /**< of --compare with values; the variants point into it */
    const sweep_axis *axes[PICTURE_AXES]; /**< what the run was asked to vary, NULL where that is less */
    char *prompt_text;                    /**< where the prompts of a file live */
} picture_list;

#endif
