/* SPDX-License-Identifier: Apache-2.0 */
#include "run/drawn.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "values/json_values.h"
#include "values/number.h"

/** The LoRAs that count, in the place of all that were named: what is given replaces what is recorded. */
static bool put_loras(const lora_choices *loras, pld_options *options) {
    const pld_option *row = pld_option_find("generate", "lora");
    pld_options_reset(options, row);
    for (size_t i = 0; i < loras->count; i++) {
        const lora_choice *lora = &loras->items[i];
        char text[PATH_MAX + NUMBER_TEXT], number[NUMBER_TEXT];
        number_shortest(lora->weight, number);
        snprintf(text, sizeof text, "%.*s:%s", (int)lora->path_length, lora->text, number);
        if (pld_options_set_option(options, row, text, NULL) != PLD_OK) {
            return false;
        }
    }
    return true;
}

bool drawn_words_make(const picture *drawn, drawn_words *words) {
    const size_t count = json_array_size(drawn->loras);
    *words = (drawn_words){.loras = calloc(count + 1, sizeof *words->loras),
                           .weights = calloc(count + 1, sizeof *words->weights)};
    if (json_memory_was_out() || words->loras == NULL || words->weights == NULL ||
        pld_options_copy(drawn->settings->values, &words->options, NULL) != PLD_OK ||
        !put_loras(&drawn->settings->loras, words->options)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *lora = json_array_get(drawn->loras, i);
        words->loras[i] = json_string_value(json_object_get(lora, "file"));
        words->weights[i] = json_number_value(json_object_get(lora, "weight"));
    }
    pld_drawn_picture_init(&words->about, sizeof words->about);
    words->about.options = words->options;
    words->about.report = &drawn->report;
    words->about.prompt = drawn->prompt;
    words->about.seed = drawn->seed;
    words->about.pladis_scale = drawn->pladis_scale;
    words->about.loras = words->loras;
    words->about.lora_weights = words->weights;
    words->about.lora_count = count;
    return true;
}

void drawn_words_free(drawn_words *words) {
    pld_options_destroy(&words->options);
    free(words->loras);
    free(words->weights);
    *words = (drawn_words){0};
}
