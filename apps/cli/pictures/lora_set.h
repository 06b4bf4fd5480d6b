/* SPDX-License-Identifier: Apache-2.0 */
/** The LoRAs of each picture of a run: those of --lora and those that its prompt names. */
#ifndef PLADIS_CLI_PICTURES_LORA_SET_H
#define PLADIS_CLI_PICTURES_LORA_SET_H

#include <jansson.h>

#include "request/generate_options.h"

/** What one picture wants. Zero at the start. */
typedef struct lora_set {
    pld_prompt_loras
        *of_prompt;         /**< the prompt without its tags, and the LoRAs that they name; NULL: as it is */
    const pld_lora **items; /**< [count]: of the options, then of the prompt */
    pld_lora *given;        /**< of the options [path_count] */
    char **paths;           /**< of the options [path_count] */
    size_t count, path_count;
} lora_set;

/** Collect the LoRAs of a picture. With --literal-prompt tags are text. Gives the exit code. */
int lora_set_make(const generate_request *settings, const char *prompt, lora_set *set);

void lora_set_free(lora_set *set);

/** Same files with the same weights in the same order. */
bool lora_set_equal(const lora_set *a, const lora_set *b);

/** The prompt as the text encoder is to see it. */
const char *lora_set_prompt(const lora_set *set, const char *prompt);

/** [{file, weight, style, kind, rank, modules, applied}] for reports and metadata; NULL: out of memory. */
json_t *lora_set_describe(const pld_model *model);

#endif
