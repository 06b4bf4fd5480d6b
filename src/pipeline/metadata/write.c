/* SPDX-License-Identifier: Apache-2.0 */
/** The texts of a PNG. */
#include <string.h>

#include "core/memory.h"
#include "core/sized.h"
#include "core/status.h"
#include "io/json/read.h"
#include "pipeline/metadata/picture.h"

static const pld_drawn_with with_defaults = {.struct_size = sizeof with_defaults, .threads = 1};

void pld_drawn_with_init(pld_drawn_with *with, size_t struct_size) {
    if (with) {
        pld_sized_init(with, struct_size, &with_defaults, sizeof with_defaults);
    }
}

/** The shortest numbers that come back as they were: a picture shall be drawn again from them. NULL: memory is out. */
static char *print_json(const json_t *json) {
    static const size_t precisions[] = {9, 15, 17};
    char *text = NULL;
    bool same = false;
    for (size_t i = 0; !same && i < sizeof precisions / sizeof *precisions; i++) {
        pld_free(text);
        json_t *again = NULL;
        text = pld_json_dump(json, JSON_COMPACT | JSON_REAL_PRECISION(precisions[i]));
        if (!text || pld_json_parse(text, strlen(text), "metadata", &again, NULL) != PLD_OK) {
            pld_free(text);
            return NULL;
        }
        same = json_equal(json, again) != 0;
        json_decref(again);
    }
    return text;
}

static pld_status out_of_memory(pld_error *error) {
    return pld_fail(error, PLD_ERROR_MEMORY, "out of memory for a picture's metadata");
}

/** All pictures as the JSON of the text "pladis", released with pld_free. */
static char *pictures_json(const pld_drawn_picture *pictures, size_t count, const pld_drawn_with *with) {
    pld_json_builder builder = {0};
    json_t *list = json_array(), *machine = json_object(), *whole = json_object();
    for (size_t i = 0; i < count; i++) {
        pld_json_append(&builder, list, pld_metadata_json(&builder, &pictures[i], false));
    }
    pld_json_put(&builder, machine, "isa", pld_metadata_json_text(with->isa));
    pld_json_put(&builder, machine, "threads", json_integer(with->threads));
    pld_json_put(&builder, whole, "version", json_string(pld_version()));
    pld_json_put(&builder, whole, "model", pld_metadata_json_text(with->model));
    pld_json_put(&builder, whole, "machine", machine);
    pld_json_put(&builder, whole, "pictures", list);
    whole = pld_json_finish(&builder, whole);
    char *text = whole ? print_json(whole) : NULL;
    json_decref(whole);
    return text;
}

/** Both texts as pairs; they are taken over. NULL: memory is out. */
static char **make_pairs(char *parameters, char *json) {
    enum { ENTRIES = 5 };
    char **text = parameters && json ? pld_allocate(ENTRIES, sizeof *text) : NULL;
    if (!text) {
        pld_free(parameters);
        pld_free(json);
        return NULL;
    }
    text[0] = pld_copy_string("parameters");
    text[1] = parameters;
    text[2] = text[0] ? pld_copy_string("pladis") : NULL;
    text[3] = json;
    if (!text[2]) { /* a list ends at the first that is missing */
        pld_free(text[0]);
        pld_free(parameters);
        pld_free(json);
        pld_free(text);
        return NULL;
    }
    return text;
}

pld_status pld_metadata_write(const pld_drawn_picture *const *pictures, size_t count,
                              const pld_drawn_with *with, char ***text, pld_error *error) {
    PLD_NEED(pictures);
    PLD_NEED(text);
    *text = NULL;
    pld_drawn_with full;
    PLD_TRY(PLD_SIZED_READ(pld_drawn_with, with, &with_defaults, &full, error));
    if (count == 0 || !full.model || !full.isa) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "metadata: expected pictures, and the model and isa they were drawn with");
    }
    pld_drawn_picture *read = pld_allocate(count, sizeof *read);
    if (!read) {
        return out_of_memory(error);
    }
    pld_status status = PLD_OK;
    for (size_t i = 0; status == PLD_OK && i < count; i++) {
        status = pld_drawn_read(pictures[i], &read[i], error);
    }
    if (status == PLD_OK) {
        *text =
            make_pairs(pld_metadata_a1111(&read[count - 1], full.model), pictures_json(read, count, &full));
        status = *text ? PLD_OK : out_of_memory(error);
    }
    pld_free(read);
    return status;
}

pld_status pld_metadata_parameters(const pld_drawn_picture *picture, bool whole_paths, char **json,
                                   pld_error *error) {
    PLD_NEED(json);
    *json = NULL;
    pld_drawn_picture read;
    PLD_TRY(pld_drawn_read(picture, &read, error));
    pld_json_builder builder = {0};
    json_t *object = pld_json_finish(&builder, pld_metadata_json(&builder, &read, whole_paths));
    *json = object ? print_json(object) : NULL;
    json_decref(object);
    return *json ? PLD_OK : out_of_memory(error);
}
