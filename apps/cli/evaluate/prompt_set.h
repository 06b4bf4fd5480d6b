/* SPDX-License-Identifier: Apache-2.0 */
/** Captions of the demo world to draw and to score. */
#ifndef PLADIS_CLI_EVALUATE_PROMPT_SET_H
#define PLADIS_CLI_EVALUATE_PROMPT_SET_H

#include <stdbool.h>
#include <stddef.h>

#include <pladis/scoring.h>

#include "evaluate/hash.h"

typedef struct scored_prompt {
    char *text;
    pld_caption caption;
} scored_prompt;

typedef struct prompt_set {
    scored_prompt *items;
    size_t count;
    char fingerprint[FINGERPRINT_SIZE]; /**< of the texts */
} prompt_set;

/** Read a file with a caption a line, as plain text or as a JSON object with the field "caption" (and
 * "category", which must then be the caption's own), and understand all of them. `each` > 0 keeps the first
 * so many of a category. False after an error line that names file and line; the set is empty then. */
bool prompt_set_read(const char *path, size_t each, prompt_set *set);

/** The same from memory; `text` [size] has a zero byte behind it and is changed. */
bool prompt_set_parse(const char *name, char *text, size_t size, size_t each, prompt_set *set);

void prompt_set_free(prompt_set *set);

#endif
