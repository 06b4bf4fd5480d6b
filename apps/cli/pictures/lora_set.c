/* SPDX-License-Identifier: Apache-2.0 */
#include "pictures/lora_set.h"

#include <stdlib.h>
#include <string.h>

#include "terminal/message.h"
#include "values/json_values.h"

static bool add_options(const lora_choices *choices, lora_set *set) {
    for (size_t i = 0; i < choices->count; i++) {
        const lora_choice *choice = &choices->items[i];
        char *path = strndup(choice->text, choice->path_length);
        if (path == NULL) {
            return false;
        }
        pld_lora *lora = &set->given[set->path_count];
        set->paths[set->path_count++] = path;
        pld_lora_init(lora, sizeof *lora);
        lora->path = path;
        lora->weight = choice->weight;
        set->items[set->count++] = lora;
    }
    return true;
}

int lora_set_make(const generate_request *settings, const char *prompt, lora_set *set) {
    pld_error error = {0};
    *set = (lora_set){0};
    if (!settings->literal_prompt &&
        pld_prompt_take_loras(prompt, settings->lora_dir, &set->of_prompt, &error) != PLD_OK) {
        return message_error(&error);
    }
    const size_t of_prompt = set->of_prompt != NULL ? set->of_prompt->count : 0;
    size_t count = settings->loras.count + of_prompt;
    set->items = calloc(count + 1, sizeof(const pld_lora *));
    set->given = calloc(settings->loras.count + 1, sizeof *set->given);
    set->paths = calloc(settings->loras.count + 1, sizeof *set->paths);
    if (set->items == NULL || set->given == NULL || set->paths == NULL ||
        !add_options(&settings->loras, set)) {
        lora_set_free(set);
        return message_failure("out of memory for %zu LoRAs", count);
    }
    for (size_t i = 0; i < of_prompt; i++) {
        set->items[set->count++] = set->of_prompt->loras[i];
    }
    return EXIT_DONE;
}

void lora_set_free(lora_set *set) {
    for (size_t i = 0; set->paths != NULL && i < set->path_count; i++) {
        free(set->paths[i]);
    }
    free(set->paths);
    free(set->given);
    free(set->items);
    pld_prompt_loras_free(&set->of_prompt);
    *set = (lora_set){0};
}

bool lora_set_equal(const lora_set *a, const lora_set *b) {
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->items[i]->path, b->items[i]->path) != 0 || a->items[i]->weight != b->items[i]->weight) {
            return false;
        }
    }
    return true;
}

const char *lora_set_prompt(const lora_set *set, const char *prompt) {
    return set->of_prompt != NULL ? set->of_prompt->prompt : prompt;
}

json_t *lora_set_describe(const pld_model *model) {
    pld_model_info info = {.struct_size = sizeof info};
    json_t *list = json_array();
    if (pld_model_get_info(model, &info, NULL) != PLD_OK) {
        return list;
    }
    for (size_t i = 0; i < info.lora_count; i++) {
        const pld_applied_lora *lora = info.loras[i];
        json_array_append_new(list, json_pack("{s:o, s:o, s:s, s:s, s:i, s:I, s:I}", "file",
                                              json_text(lora->path), "weight", json_number(lora->weight),
                                              "style", lora->style, "kind", lora->kind, "rank", lora->rank,
                                              "modules", (json_int_t)lora->module_count, "applied",
                                              (json_int_t)lora->applied_count));
    }
    return list;
}
