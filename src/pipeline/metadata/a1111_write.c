/* SPDX-License-Identifier: Apache-2.0 */
/** The text "parameters" as A1111's web interface writes it and as sites read it: prompt lines, "Negative prompt: …", and a line
 *  of "Key: value" with commas between. */
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "pipeline/metadata/picture.h"

/** A text that grows; `failed`: memory was out. */
typedef struct writer {
    char *text;
    size_t length, capacity;
    bool failed;
} writer;

static void add(writer *to, const char *text) {
    const size_t length = strlen(text);
    to->failed = to->failed || !pld_grow((void **)&to->text, &to->capacity, to->length + length + 1, 1);
    if (!to->failed) {
        memcpy(to->text + to->length, text, length + 1);
        to->length += length;
    }
}

static void add_byte(writer *to, char byte) {
    const char text[] = {byte, '\0'};
    add(to, text);
}

/** A value, in quotes where its own text could be taken for the next field. */
static void add_value(writer *to, const char *key, const char *value) {
    const bool quote = strpbrk(value, ",:\"\n") != NULL;
    add(to, ", ");
    add(to, key);
    add(to, quote ? ": \"" : ": ");
    for (; *value; value++) {
        if (quote && (*value == '"' || *value == '\\')) {
            add_byte(to, '\\');
        }
        add_byte(to, *value == '\n' ? ' ' : *value);
    }
    add(to, quote ? "\"" : "");
}

static void add_number(writer *to, const char *key, double value) {
    char text[64];
    pld_print_text(text, sizeof text, "%g", value);
    add(to, ", ");
    add(to, key);
    add(to, ": ");
    add(to, text);
}

/** "Lora 1: name:weight", for those of the prompt too, whose tags need not be read then. */
static void add_loras(writer *to, const pld_drawn_picture *picture) {
    for (size_t i = 0; i < picture->lora_count; i++) {
        char key[32], weight[64];
        char *name = pld_metadata_base_name(picture->loras[i]);
        pld_print_text(key, sizeof key, "Lora %zu", i + 1);
        pld_print_text(weight, sizeof weight, "%g", picture->lora_weights[i]);
        char *value = name ? pld_format("%s:%s", name, weight) : NULL;
        if (value) {
            add_value(to, key, value);
        }
        to->failed = to->failed || !value;
        pld_free(name);
        pld_free(value);
    }
}

static void add_pladis(writer *to, const pld_drawn_picture *picture) {
    const double scale = pld_drawn_pladis_scale(picture);
    add_number(to, "PLADIS scale", scale);
    if (scale != 0) {
        add_number(to, "PLADIS alpha", pld_drawn_value(picture, "pladis-alpha")->number);
        add_value(to, "PLADIS blocks", pld_drawn_value(picture, "pladis-blocks")->text);
        add_number(to, "PLADIS start", pld_drawn_value(picture, "pladis-start")->number);
        add_number(to, "PLADIS end", pld_drawn_value(picture, "pladis-end")->number);
    }
}

static void add_sampling(writer *to, const pld_drawn_picture *picture) {
    const pld_report *report = picture->report;
    char text[160];
    pld_print_text(text, sizeof text, "Steps: %d", report->steps);
    add(to, text);
    add_value(to, "Sampler", pld_common_name(PLD_LIST_SAMPLERS, report->sampling_method));
    add_value(to, "Schedule type", pld_common_name(PLD_LIST_SCHEDULERS, report->scheduler));
    add_number(to, "CFG scale", report->cfg_scale);
    pld_print_text(text, sizeof text, ", Seed: %lld, Size: %dx%d", (long long)pld_drawn_seed(picture),
                   report->width, report->height);
    add(to, text);
}

static void add_all(writer *to, const pld_drawn_picture *picture, const char *model) {
    const char *negative = pld_drawn_value(picture, "negative-prompt")->text;
    const int64_t clip_skip = pld_drawn_value(picture, "clip-skip")->integer;
    char text[64];
    add(to, pld_drawn_prompt(picture));
    add(to, "\n");
    if (negative && negative[0]) {
        add(to, "Negative prompt: ");
        add(to, negative);
        add(to, "\n");
    }
    add_sampling(to, picture);
    add_value(to, "Model", model);
    if (pld_drawn_value(picture, "init-img")->text) {
        add_number(to, "Denoising strength", picture->report->strength);
    }
    if (clip_skip > 1) {
        pld_print_text(text, sizeof text, ", Clip skip: %lld", (long long)clip_skip);
        add(to, text);
    }
    if (picture->report->preset[0]) {
        add_value(to, "Preset", picture->report->preset);
    }
    add_value(to, "Guidance", picture->report->guidance);
    add_loras(to, picture);
    add_pladis(to, picture);
    add(to, ", Version: pladis ");
    add(to, pld_version());
}

char *pld_metadata_a1111(const pld_drawn_picture *picture, const char *model) {
    writer to = {0};
    char *repaired = NULL;
    add_all(&to, picture, model);
    if (!to.failed && pld_utf8_repair(to.text, to.length, &repaired, NULL, NULL) != PLD_OK) {
        repaired = NULL;
    }
    pld_free(to.text);
    return repaired;
}
