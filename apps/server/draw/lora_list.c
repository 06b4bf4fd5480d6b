/* SPDX-License-Identifier: Apache-2.0 */
#include "draw/lora_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text_buffer.h"

static pld_status fail(pld_error *error, pld_status status, const char *message) {
    error->status = status;
    snprintf(error->message, sizeof error->message, "%s", message);
    return status;
}

/** Add one of the field, NAME or NAME:WEIGHT. */
static pld_status add_given(const char *text, shelf *things, lora_list *list, pld_error *error) {
    size_t length = 0;
    double weight = 0;
    char name[SHELF_NAME];
    shelf_item found;
    if (list->given_count == LORA_LIST_MOST) {
        return fail(error, PLD_ERROR_ARGUMENT, "too many LoRAs");
    }
    pld_status status = pld_lora_parse(text, &length, &weight, error);
    if (status == PLD_OK) {
        snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), text);
        status = shelf_find_lora(things, name, &found, error);
    }
    if (status != PLD_OK) {
        return status;
    }
    char *path = strdup(found.path);
    if (path == NULL) {
        return fail(error, PLD_ERROR_MEMORY, "out of memory for LoRAs");
    }
    pld_lora *lora = &list->given[list->given_count];
    list->paths[list->given_count++] = path;
    pld_lora_init(lora, sizeof *lora);
    lora->path = path;
    lora->weight = weight;
    list->items[list->count++] = lora;
    return PLD_OK;
}

pld_status lora_list_make(const job_request *request, shelf *things, lora_list *list, pld_error *error) {
    const pld_option_value *given = pld_options_get(request->options, "generate", "lora");
    const pld_option_value *prompt = pld_options_get(request->options, "generate", "prompt");
    pld_status status = PLD_OK;
    *list = (lora_list){0};
    for (size_t i = 0; status == PLD_OK && i < given->count; i++) {
        status = add_given(given->texts[i], things, list, error);
    }
    if (status == PLD_OK && !pld_options_get(request->options, "generate", "literal-prompt")->flag) {
        status = pld_prompt_take_loras(prompt->text, shelf_lora_dir(things), &list->of_prompt, error);
    }
    const size_t tags = list->of_prompt != NULL ? list->of_prompt->count : 0;
    if (status == PLD_OK && list->count + tags > LORA_LIST_MOST) {
        status = fail(error, PLD_ERROR_ARGUMENT, "too many LoRAs");
    }
    for (size_t i = 0; status == PLD_OK && i < tags; i++) {
        list->items[list->count++] = list->of_prompt->loras[i];
    }
    return status;
}

void lora_list_free(lora_list *list) {
    for (size_t i = 0; i < list->given_count; i++) {
        free(list->paths[i]);
    }
    pld_prompt_loras_free(&list->of_prompt);
    *list = (lora_list){0};
}

const char *lora_list_prompt(const lora_list *list, const job_request *request) {
    return list->of_prompt != NULL ? list->of_prompt->prompt
                                   : pld_options_get(request->options, "generate", "prompt")->text;
}

char *lora_list_key(const lora_list *list) {
    text_buffer key = {0};
    text_add(&key, "");
    for (size_t i = 0; i < list->count; i++) {
        text_add_printed(&key, "%s:%.17g\n", list->items[i]->path, list->items[i]->weight);
    }
    return text_take(&key);
}
