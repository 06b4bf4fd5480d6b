/* SPDX-License-Identifier: Apache-2.0 */
/** `<lora:name:weight>` in a prompt, as A1111 writes it. */
#ifndef PLD_LORAS_TAGS_H
#define PLD_LORAS_TAGS_H

#include <stddef.h>

#include "core/status.h"

/** One tag: a name without folders' ways out, and a weight. */
typedef struct pld_lora_tag {
    char *name;
    double weight; /**< 1 where the tag has none */
} pld_lora_tag;

typedef struct pld_lora_tags {
    char *prompt;       /**< without the tags */
    pld_lora_tag *tags; /**< [count] in their order */
    size_t count, capacity;
} pld_lora_tags;

/** Take the tags out of `prompt`. PLD_ERROR_ARGUMENT for a tag that is not closed, a weight that is no
 * number, and a name that could lead out of a folder: absolute, with a part `..` or `.`, or with a control
 * character. On failure `tags` is empty. Free with pld_lora_tags_free. */
pld_status pld_lora_tags_take(const char *prompt, pld_lora_tags *tags, pld_error *error);

void pld_lora_tags_free(pld_lora_tags *tags);

#endif
