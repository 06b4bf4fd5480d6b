/* SPDX-License-Identifier: Apache-2.0 */
#include "request/recall.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <pladis/metadata.h>

#include "request/recall_fields.h"
#include "terminal/message.h"
#include "values/json_values.h"

struct recalled_picture {
    json_t *json;
    json_t *kept;        /* further texts */
    const char *program; /* that wrote it, where it was another one; else NULL */
    json_t *left_out;    /* what of its settings is not taken over, in words */
    const char *isa;     /* or NULL */
};

/** Store what `top`, which is taken over, says; NULL: out of memory. */
static options_result recall_json(const char *path, json_t *top, bool foreign, int64_t number,
                                  generate_request *request) {
    recalled_picture *recalled = calloc(1, sizeof *recalled);
    json_t *kept = json_array();
    if (recalled == NULL || kept == NULL || top == NULL) {
        free(recalled);
        json_decref(kept);
        json_decref(top);
        message_failure("%s: out of memory for its metadata", path);
        return OPTIONS_FAILED;
    }
    const json_t *machine = json_object_get(top, "machine");
    *recalled = (recalled_picture){
        .json = top, .kept = kept, .isa = json_string_value(json_object_get(machine, "isa"))};
    recalled_free(&request->recalled);
    request->recalled = recalled;
    return recall_store(path, top, foreign, number, request);
}

options_result recall_text(const char *path, const char *text, int64_t number, generate_request *request) {
    json_error_t where;
    json_t *top = json_read(text, strlen(text), &where);
    if (top == NULL) {
        message_failure(json_memory_was_out() ? "%s: its metadata cannot be read: %s"
                                              : "%s: its metadata is not valid JSON: %s",
                        path, where.text);
        return OPTIONS_FAILED;
    }
    return recall_json(path, top, false, number, request);
}

/** Note what program wrote the metadata, and what of it is missing. False: memory is out. */
static bool note_origin(const pld_metadata *found, recalled_picture *recalled) {
    recalled->program = found->program;
    recalled->left_out = json_array();
    bool done = recalled->left_out != NULL;
    for (size_t i = 0; done && i < found->left_out_count; i++) {
        done = json_array_append_new(recalled->left_out, json_text(found->left_out[i])) == 0;
    }
    return done;
}

/** Take over what the library has read. */
static options_result recall_found(const char *path, const pld_metadata *found, int64_t number,
                                   generate_request *request) {
    json_error_t where;
    json_t *top = json_read(found->settings, strlen(found->settings), &where);
    options_result result = recall_json(path, top, found->program != NULL, number, request);
    if (result == OPTIONS_RUN && !note_origin(found, request->recalled)) {
        message_failure("%s: out of memory for its metadata", path);
        return OPTIONS_FAILED;
    }
    return result;
}

/** Whether the texts have the program's own entry, which `--from` reads by itself: its errors name what is wrong in it. */
static const char *own_entry(char *const *text) {
    const char *entry = NULL;
    for (size_t i = 0; text[i] != NULL; i += 2) {
        entry = strcmp(text[i], "pladis") == 0 ? text[i + 1] : entry;
    }
    return entry;
}

options_result recall_picture(const char *path, int64_t number, generate_request *request) {
    pld_image image;
    pld_error error = {0}, reading = {0};
    char **text = NULL;
    pld_metadata *found = NULL;
    if (pld_image_read_described(path, &image, &text, &error) != PLD_OK) {
        message_error(&error);
        return OPTIONS_FAILED;
    }
    pld_image_free(&image);
    const char *entry = own_entry(text);
    options_result result = OPTIONS_FAILED;
    if (entry == NULL && error.status != PLD_OK) { /* it may be what is left out */
        message_error(&error);
    } else if (entry != NULL) {
        result = recall_text(path, entry, number, request);
    } else if (pld_metadata_read(text, path, &found, &reading) == PLD_OK) {
        result = recall_found(path, found, number, request);
    } else if (reading.status == PLD_ERROR_MISSING) {
        message_failure("%s; give -p and other options in place of --from", reading.message);
    } else {
        message_error(&reading);
    }
    pld_metadata_free(&found);
    pld_text_free(&text);
    return result;
}

const char *recalled_model(const recalled_picture *recalled) {
    const char *model = json_string_value(json_object_get(recalled->json, "model"));
    return model != NULL ? model : "";
}

const char *recalled_keep(recalled_picture *recalled, const char *text) {
    json_t *kept = json_string(text);
    return json_array_append_new(recalled->kept, kept) == 0 ? json_string_value(kept) : NULL;
}

void recall_note_program(const generate_request *request) {
    const recalled_picture *recalled = request->recalled;
    char missing[640] = "";
    size_t used = 0;
    if (recalled == NULL || recalled->program == NULL) {
        return;
    }
    for (size_t i = 0; i < json_array_size(recalled->left_out) && used < sizeof missing; i++) {
        used += (size_t)snprintf(missing + used, sizeof missing - used, "%s%s", i > 0 ? ", " : "; left out: ",
                                 json_string_value(json_array_get(recalled->left_out, i)));
    }
    message_note("%s: the settings of %s are used%s; the picture will be similar, not the same, because "
                 "noise and networks are computed differently here%s",
                 request->from, recalled->program,
                 isnan(request->pladis_scale) ? ", and PLADIS is added (--no-pladis turns it off)" : "",
                 missing);
}

void recall_compare_machine(const generate_request *request, const char *isa) {
    const recalled_picture *kept = request->recalled;
    if (kept != NULL && kept->isa != NULL && strcmp(kept->isa, isa) != 0) {
        message_note("%s was drawn with %s, but this run has %s; the last bits may differ", request->from,
                     kept->isa, isa);
    }
}

void recalled_free(recalled_picture **recalled) {
    if (*recalled != NULL) {
        json_decref((*recalled)->json);
        json_decref((*recalled)->kept);
        json_decref((*recalled)->left_out);
        free(*recalled);
        *recalled = NULL;
    }
}
