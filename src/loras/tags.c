/* SPDX-License-Identifier: Apache-2.0 */
#include "loras/tags.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "core/memory.h"
#include "text/prompt/number.h"

static const char opening[] = "<lora:";

static pld_status refuse(const char *tag, size_t length, const char *what, pld_error *error) {
    return pld_fail(error, PLD_ERROR_ARGUMENT, "prompt: '%.*s': %s; expected <lora:NAME:WEIGHT>",
                    (int)(length < 80 ? length : 80), tag, what);
}

/** A name with folders is fine as long as every part goes down. */
static bool stays_inside(const char *name, size_t length) {
    if (length == 0) {
        return false;
    }
    for (size_t begin = 0; begin <= length;) {
        size_t end = begin;
        while (end < length && name[end] != '/') {
            if ((unsigned char)name[end] < 32 || name[end] == '\\' || name[end] == 127) {
                return false;
            }
            end++;
        }
        bool dots = end - begin <= 2 && strncmp(name + begin, "..", end - begin) == 0;
        if (dots) { /* "", ".", ".." */
            return false;
        }
        begin = end + 1;
    }
    return true;
}

static bool read_weight(const char *text, size_t length, double *weight) {
    return pld_prompt_number_length(text, length) == length && pld_prompt_read_number(text, length, weight) &&
           isfinite(*weight);
}

/** NAME or NAME:WEIGHT in text[length], the inside of a tag. */
static pld_status add_tag(pld_lora_tags *tags, const char *text, size_t length, pld_error *error) {
    const char *colon = memchr(text, ':', length);
    const size_t name = colon ? (size_t)(colon - text) : length;
    double weight = 1;
    if (!stays_inside(text, name)) {
        return refuse(text, length, "the name must stay inside the folder of LoRAs", error);
    }
    if (colon && memchr(colon + 1, ':', length - name - 1)) {
        return refuse(text, length, "more than one weight; here all parts of a model share one", error);
    }
    if (colon && !read_weight(colon + 1, length - name - 1, &weight)) {
        return refuse(text, length, "the weight is not a number", error);
    }
    if (!pld_grow((void **)&tags->tags, &tags->capacity, tags->count + 1, sizeof *tags->tags)) {
        return pld_fail_memory(error, sizeof *tags->tags, "LoRA tags");
    }
    char *copy = pld_copy_bytes(text, name);
    if (!copy) {
        return pld_fail_memory(error, name, "LoRA tags");
    }
    tags->tags[tags->count++] = (pld_lora_tag){copy, weight};
    return PLD_OK;
}

static pld_status take(const char *prompt, pld_lora_tags *tags, pld_error *error) {
    size_t kept = 0;
    for (const char *at = prompt; *at;) {
        if (strncmp(at, opening, sizeof opening - 1) != 0) {
            tags->prompt[kept++] = *at++;
            continue;
        }
        const char *inside = at + sizeof opening - 1;
        const char *end = strchr(inside, '>');
        if (!end) {
            return refuse(at, strlen(at), "the tag is not closed", error);
        }
        PLD_TRY(add_tag(tags, inside, (size_t)(end - inside), error));
        at = end + 1;
    }
    tags->prompt[kept] = '\0';
    return PLD_OK;
}

pld_status pld_lora_tags_take(const char *prompt, pld_lora_tags *tags, pld_error *error) {
    *tags = (pld_lora_tags){.prompt = pld_copy_string(prompt)};
    pld_status status =
        tags->prompt ? take(prompt, tags, error) : pld_fail_memory(error, strlen(prompt), "prompt");
    if (status != PLD_OK) {
        pld_lora_tags_free(tags);
    }
    return status;
}

void pld_lora_tags_free(pld_lora_tags *tags) {
    for (size_t i = 0; i < tags->count; i++) {
        pld_free(tags->tags[i].name);
    }
    pld_free(tags->tags);
    pld_free(tags->prompt);
    *tags = (pld_lora_tags){0};
}
