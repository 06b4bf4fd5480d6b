/* SPDX-License-Identifier: Apache-2.0 */
/** What a PNG tells of its making. */
#include <string.h>

#include "core/memory.h"
#include "core/status.h"
#include "io/json/read.h"
#include "pipeline/metadata/origin.h"
#include "pladis/metadata.h"

/** What is handed out, and what its pointers belong to. */
typedef struct found_metadata {
    pld_metadata about;
    char *settings;
    json_t *left_out;
    const char **words;
} found_metadata;

static pld_status out_of_memory(const char *name, pld_error *error) {
    return pld_fail(error, PLD_ERROR_MEMORY, "%s: out of memory for its metadata", name);
}

void pld_metadata_free(pld_metadata **found) {
    found_metadata *freed = (found_metadata *)*found;
    if (freed) {
        pld_free(freed->settings);
        json_decref(freed->left_out);
        pld_free(freed->words);
        pld_free(freed);
        *found = NULL;
    }
}

/** `settings`, which is taken over, and `left_out`, of which a reference is kept, as a result. */
static pld_status hand_out(char *settings, const char *program, json_t *left_out, const char *name,
                           pld_metadata **found, pld_error *error) {
    const size_t count = json_array_size(left_out);
    found_metadata *made = pld_allocate(1, sizeof *made);
    const char **words = pld_allocate(count + 1, sizeof *words);
    if (!settings || !made || !words) {
        pld_free(settings);
        pld_free(made);
        pld_free(words);
        return out_of_memory(name, error);
    }
    for (size_t i = 0; i < count; i++) {
        words[i] = json_string_value(json_array_get(left_out, i));
    }
    *made = (found_metadata){.about = {.struct_size = sizeof made->about,
                                       .settings = settings,
                                       .program = program,
                                       .left_out = words,
                                       .left_out_count = count},
                             .settings = settings,
                             .left_out = json_incref(left_out),
                             .words = words};
    *found = &made->about;
    return PLD_OK;
}

/** Our own entry: an object, which is handed on as it stands. */
static pld_status read_own(const char *entry, const char *name, pld_metadata **found, pld_error *error) {
    json_t *document = NULL;
    pld_error detail = {0};
    const pld_status status = pld_json_parse(entry, strlen(entry), "its metadata", &document, &detail);
    const bool object = json_is_object(document);
    json_decref(document);
    if (status != PLD_OK) {
        return pld_fail(error, status, "%s: %s", name, detail.message);
    }
    if (!object) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: its metadata: expected a JSON object", name);
    }
    return hand_out(pld_copy_string(entry), NULL, NULL, name, found, error);
}

/** Another program's. */
static pld_status read_foreign(const pld_metadata_origin *origin, const char *value, const char *name,
                               pld_metadata **found, pld_error *error) {
    pld_json_builder builder = {0};
    json_t *left_out = json_array();
    json_t *top = origin->read ? origin->read(&builder, value, left_out) : NULL;
    pld_status status = PLD_OK;
    if (builder.failed || !left_out) {
        status = out_of_memory(name, error);
    } else if (!top) {
        status = pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: its metadata was written by another program, %s, whose settings pladis cannot use; pladis "
            "info shows what is in it",
            name, origin->program);
    } else {
        status = hand_out(pld_json_dump(top, JSON_COMPACT | JSON_REAL_PRECISION(17)), origin->program,
                          left_out, name, found, error);
    }
    json_decref(top);
    json_decref(left_out);
    return status;
}

/** There is no metadata of ours, nor of a program that is known. */
static pld_status refuse_texts(char *const *text, const char *name, pld_error *error) {
    const char *software = pld_metadata_text(text, "Software");
    if (!text[0]) {
        return pld_fail(error, PLD_ERROR_MISSING,
                        "%s: expected a picture with metadata, found none, perhaps because it was removed",
                        name);
    }
    return pld_fail(
        error, PLD_ERROR_UNSUPPORTED,
        "%s: its metadata was written by another program%s%s and contains no settings that pladis knows (it "
        "has \"%s\"); pladis info shows what is in it",
        name, software ? ", " : "", software ? software : "", text[0]);
}

pld_status pld_metadata_read(char *const *text, const char *name, pld_metadata **found, pld_error *error) {
    PLD_NEED(text);
    PLD_NEED(name);
    PLD_NEED(found);
    *found = NULL;
    const char *entry = pld_metadata_text(text, "pladis"), *value = NULL;
    const pld_metadata_origin *origin = pld_metadata_origin_find(text, &value);
    return entry    ? read_own(entry, name, found, error)
           : origin ? read_foreign(origin, value, name, found, error)
                    : refuse_texts(text, name, error);
}
