/* SPDX-License-Identifier: Apache-2.0 */
#include "request/given.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "request/recall.h"
#include "terminal/message.h"
#include "values/base_name.h"

/** Recorded values that would decide in place of a given one. Scheduler, spacing and what a preset sets are
 * recorded as they were in force, whether anybody asked for them or not. */
static const struct {
    const char *given;
    const char *dropped[10];
} rules[] = {
    {"prompt-file", {"prompt"}},
    {"steps", {"timesteps"}},
    {"timesteps", {"steps"}},
    {"sampling-method", {"scheduler", "spacing"}},
    {"pladis-alpha", {"pladis-temperature"}},
    {"preset",
     {"sampling-method", "scheduler", "spacing", "prediction", "steps", "timesteps", "cfg-scale", "eta"}},
};

void given_mark_recorded(generate_request *request, const option *row) {
    const size_t index = pld_option_index(row);
    if (index < GENERATE_MOST_ROWS) {
        request->recorded[index] = true;
    }
}

static bool is_recorded(const generate_request *request, const option *row) {
    const size_t index = pld_option_index(row);
    return index < GENERATE_MOST_ROWS && request->recorded[index];
}

/** Set an option back to what it is without --from; for lists that is an empty one. */
static void reset(generate_request *request, const option *row) {
    pld_options_reset(request->values, row);
    options_take(&generate_options, row, request->values, request);
    request->recorded[pld_option_index(row)] = false;
}

static void drop(generate_request *request, const char *name) {
    const option *row = generate_options_row(name);
    if (is_recorded(request, row)) {
        reset(request, row);
    }
}

void given_take_place(generate_request *request, const option *row) {
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        for (size_t j = 0; strcmp(rules[i].given, row->name) == 0 && rules[i].dropped[j] != NULL; j++) {
            drop(request, rules[i].dropped[j]);
        }
    }
    /* values of a list add up; LoRAs are replaced by name */
    if (is_recorded(request, row) && row->type == PLD_OPTION_TEXTS && strcmp(row->name, "lora") != 0) {
        reset(request, row);
    }
    const size_t index = pld_option_index(row);
    if (index < GENERATE_MOST_ROWS) {
        request->recorded[index] = false;
    }
}

/** <lora:NAME:WEIGHT> in a prompt: its length, and where the last part of the name is. */
typedef struct lora_tag {
    const char *begin;
    size_t length;
    const char *name;
    size_t name_length;
} lora_tag;

/** The next tag at or behind `text`; false: there is none that ends. */
static bool next_tag(const char *text, lora_tag *tag) {
    static const char opening[] = "<lora:";
    const char *begin = strstr(text, opening);
    const char *end = begin != NULL ? strchr(begin, '>') : NULL;
    if (end == NULL) {
        return false;
    }
    const char *name = begin + sizeof opening - 1;
    size_t length = strcspn(name, ":>");
    for (size_t i = length; i > 0; i--) {
        if (name[i - 1] == '/') {
            name += i;
            length -= i;
            break;
        }
    }
    *tag = (lora_tag){begin, (size_t)(end + 1 - begin), name, length};
    return true;
}

/** Whether a tag names the file of a choice: its name without folder and ending. */
static bool tag_names(const lora_tag *tag, const lora_choice *choice) {
    static const char ending[] = ".safetensors";
    char path[PATH_MAX], name[PATH_MAX];
    snprintf(path, sizeof path, "%.*s", (int)choice->path_length, choice->text);
    path_base_name(path, name, sizeof name);
    size_t length = strlen(name);
    if (length >= sizeof ending && strcmp(name + length - (sizeof ending - 1), ending) == 0) {
        length -= sizeof ending - 1;
    }
    return length == tag->name_length && memcmp(name, tag->name, length) == 0;
}

static bool tag_is_replaced(const lora_choices *choices, const lora_tag *tag) {
    for (size_t i = 0; i < choices->count; i++) {
        if (!choices->items[i].recorded && tag_names(tag, &choices->items[i])) {
            return true;
        }
    }
    return false;
}

/** A recorded prompt without the tags of LoRAs that are given as options. */
static bool take_from_prompt(generate_request *request) {
    char *kept = strdup(request->prompt), *end = kept;
    const char *at = request->prompt;
    bool changed = false;
    for (lora_tag tag; kept != NULL && next_tag(at, &tag);) {
        bool replaced = tag_is_replaced(&request->loras, &tag);
        size_t length = (size_t)(tag.begin - at) + (replaced ? 0 : tag.length);
        memcpy(end, at, length);
        end += length;
        at = tag.begin + tag.length;
        changed = changed || replaced;
    }
    if (kept != NULL) {
        memcpy(end, at, strlen(at) + 1);
    }
    const char *prompt = changed ? recalled_keep(request->recalled, kept) : request->prompt;
    bool done = kept != NULL && prompt != NULL;
    free(kept);
    if (!done) {
        message_failure("out of memory for the prompt");
        return false;
    }
    request->prompt = prompt;
    return true;
}

void given_take_prompt(generate_request *request, const char *prompt) {
    lora_tag tag;
    for (const char *at = prompt; !request->literal_prompt && next_tag(at, &tag);
         at = tag.begin + tag.length) {
        size_t kept = 0;
        for (size_t i = 0; i < request->loras.count; i++) {
            const lora_choice choice = request->loras.items[i];
            if (!choice.recorded || !tag_names(&tag, &choice)) {
                request->loras.items[kept++] = choice;
            }
        }
        request->loras.count = kept;
    }
}

/** Whether -m names another model than the picture's. */
static bool other_model(const generate_request *request) {
    char name[PATH_MAX];
    path_base_name(request->model, name, sizeof name);
    return strcmp(name, recalled_model(request->recalled)) != 0;
}

bool given_settle(generate_request *request) {
    if (request->recalled == NULL) {
        return true;
    }
    if (request->model == NULL) {
        message_usage("--from: %s does not name a model; give one with -m", request->from);
        return false;
    }
    if (other_model(request)) {
        drop(request, "prediction");
    }
    if (request->prompt == NULL || request->literal_prompt) {
        return true;
    }
    if (is_recorded(request, generate_options_row("prompt"))) {
        return take_from_prompt(request);
    }
    given_take_prompt(request, request->prompt);
    return true;
}
