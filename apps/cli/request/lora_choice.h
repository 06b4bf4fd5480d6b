/* SPDX-License-Identifier: Apache-2.0 */
/** --lora FILE[:WEIGHT], any number of times. */
#ifndef PLADIS_CLI_REQUEST_LORA_CHOICE_H
#define PLADIS_CLI_REQUEST_LORA_CHOICE_H

#include "options/options.h"

enum { MOST_LORAS = 32 };

/** One LoRA of the command line. */
typedef struct lora_choice {
    const char *text; /**< the argument; the path is its first `path_length` bytes */
    size_t path_length;
    double weight;
    bool recorded; /**< by the metadata of a picture, not given */
} lora_choice;

typedef struct lora_choices {
    lora_choice items[MOST_LORAS];
    size_t count;
} lora_choices;

/** Read one argument and add it: in place of recorded LoRAs of the same name, or that are the same file.
 * False after an error line. */
bool lora_choices_add(lora_choices *choices, const char *option_name, const char *value);

#endif
