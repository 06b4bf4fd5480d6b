/* SPDX-License-Identifier: Apache-2.0 */
#include "run/metadata.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files/memory_file.h"
#include "files/model_path.h"
#include "terminal/message.h"
#include "values/json_values.h"
#include "values/utf8.h"

/** A value of the "parameters" line, in quotes where its own text could be taken for the next field. */
static void print_value(FILE *file, const char *key, const char *value) {
    bool quote = strpbrk(value, ",:\"\n") != NULL;
    fprintf(file, ", %s: %s", key, quote ? "\"" : "");
    for (; *value != '\0'; value++) {
        if (quote && (*value == '"' || *value == '\\')) {
            fputc('\\', file);
        }
        fputc(*value == '\n' ? ' ' : *value, file);
    }
    fputs(quote ? "\"" : "", file);
}

/** The shortest numbers that come back as they were: a picture shall be drawn again from them. */
static char *print_json(const json_t *json) {
    static const size_t precisions[] = {9, 15, 17};
    char *text = NULL;
    bool same = false;
    for (size_t i = 0; !same && i < sizeof precisions / sizeof *precisions; i++) {
        free(text);
        json_error_t problem;
        text = json_write(json, JSON_COMPACT | JSON_REAL_PRECISION(precisions[i]));
        json_t *again = text != NULL ? json_read(text, strlen(text), &problem) : NULL;
        same = again != NULL && json_equal(json, again);
        json_decref(again);
    }
    if (json_memory_was_out()) {
        free(text);
        return NULL;
    }
    return text;
}

/** "Lora 1: name:weight", for those of the prompt too, whose tags need not be read then. */
static void print_loras(FILE *file, const json_t *loras) {
    for (size_t i = 0; i < json_array_size(loras); i++) {
        const json_t *lora = json_array_get(loras, i);
        char key[32], name[256], value[320];
        path_base_name(json_string_value(json_object_get(lora, "file")), name, sizeof name);
        snprintf(key, sizeof key, "Lora %zu", i + 1);
        snprintf(value, sizeof value, "%s:%g", name, json_number_value(json_object_get(lora, "weight")));
        print_value(file, key, value);
    }
}

static char *make_parameters(const char *model, const picture *drawn) {
    const generate_request *request = drawn->settings;
    memory_file memory;
    memory_file_open(&memory);
    FILE *file = memory.stream;
    if (file == NULL) {
        return NULL;
    }
    const pld_report *report = &drawn->report;
    fprintf(file, "%s\n", drawn->prompt);
    if (request->negative_prompt != NULL && request->negative_prompt[0] != '\0') {
        fprintf(file, "Negative prompt: %s\n", request->negative_prompt);
    }
    fprintf(file, "Steps: %d", report->steps);
    print_value(file, "Sampler", pld_common_name(PLD_LIST_SAMPLERS, report->sampling_method));
    print_value(file, "Schedule type", pld_common_name(PLD_LIST_SCHEDULERS, report->scheduler));
    fprintf(file, ", CFG scale: %g, Seed: %" PRId64 ", Size: %dx%d", report->cfg_scale, drawn->seed,
            report->width, report->height);
    print_value(file, "Model", model);
    if (request->init_img != NULL) {
        fprintf(file, ", Denoising strength: %g", report->strength);
    }
    if (request->clip_skip > 1) {
        fprintf(file, ", Clip skip: %d", (int)request->clip_skip);
    }
    if (report->preset[0] != '\0') {
        print_value(file, "Preset", report->preset);
    }
    print_value(file, "Guidance", report->guidance);
    print_loras(file, drawn->loras);
    fprintf(file, ", PLADIS scale: %g", drawn->pladis_scale);
    if (drawn->pladis_scale != 0) {
        fprintf(file, ", PLADIS alpha: %g", request->pladis_alpha);
        print_value(file, "PLADIS blocks", request->pladis_blocks);
        fprintf(file, ", PLADIS start: %g, PLADIS end: %g", request->pladis_start, request->pladis_end);
    }
    fprintf(file, ", Version: pladis %s", pld_version());
    char *text = memory_file_close(&memory);
    char *repaired = text != NULL ? utf8_repaired(text) : NULL;
    free(text);
    return repaired;
}

bool metadata_make(const run_facts *facts, const picture *pictures, size_t count, metadata *result) {
    *result = (metadata){0};
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, report_parameters(&pictures[i], true));
    }
    json_t *json = json_pack("{s:s, s:o, s:{s:s, s:i}, s:o}", "version", pld_version(), "model",
                             json_text(facts->model_name), "machine", "isa", facts->isa, "threads",
                             facts->threads, "pictures", list);
    result->json = json != NULL ? print_json(json) : NULL;
    json_decref(json);
    result->parameters = make_parameters(facts->model_name, &pictures[count - 1]);
    if (result->json == NULL || result->parameters == NULL) {
        metadata_free(result);
        message_failure("out of memory for the PNG's metadata; --no-metadata leaves it out");
        return false;
    }
    result->pairs[0] = "parameters";
    result->pairs[1] = result->parameters;
    result->pairs[2] = "pladis";
    result->pairs[3] = result->json;
    return true;
}

void metadata_free(metadata *result) {
    free(result->parameters);
    free(result->json);
    *result = (metadata){0};
}
