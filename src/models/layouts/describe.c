/* SPDX-License-Identifier: Apache-2.0 */
#include "models/layouts/describe.h"

#include <stdarg.h>
#include <string.h>

#include "core/text.h"
#include "io/json/read.h"

int64_t pld_shape_of(const pld_weight_files *files, int axis, const char *format, ...) {
    char name[PLD_LAYOUT_NAME];
    pld_weight weight;
    va_list arguments;
    va_start(arguments, format);
    pld_print_arguments(name, sizeof name, format, arguments);
    va_end(arguments);
    return pld_weight_files_find(files, name, &weight) && axis < weight.tensor->rank
               ? weight.tensor->shape[axis]
               : 0;
}

pld_status pld_describe_missing(const pld_weight_files *files, const char *tensor, pld_error *error) {
    return pld_fail(error, PLD_ERROR_FORMAT,
                    "%s: tensor '%s' (diffusers' name) is missing, so the network cannot be described; "
                    "download the file again, or give a diffusers folder for the same network with --config",
                    pld_weight_files_path(files, 0), tensor);
}

pld_status pld_describe_need(const pld_weight_files *files, const pld_needed_tensor *tensors, size_t count,
                             pld_error *error) {
    for (size_t i = 0; i < count; i++) {
        if (!pld_shape_of(files, 0, "%s", tensors[i].name) ||
            !pld_shape_of(files, tensors[i].rank - 1, "%s", tensors[i].name)) {
            return pld_describe_missing(files, tensors[i].name, error);
        }
    }
    return PLD_OK;
}

int pld_count_numbered(const pld_weight_files *files, const char *before, const char *after, int most) {
    int count = 0;
    while (count < most && pld_shape_of(files, 0, "%s%d%s", before, count, after)) {
        count++;
    }
    return count;
}

/** Put the fields of an object's JSON into `document`, over those that it has. NULL: none. */
static pld_status put_fields(pld_json_builder *builder, json_t *document, const char *fields,
                             const char *name, pld_error *error) {
    json_t *object = NULL;
    const char *key = NULL;
    json_t *value = NULL;
    if (!fields || !document) {
        return PLD_OK;
    }
    PLD_TRY(pld_json_parse(fields, strlen(fields), name, &object, error));
    json_object_foreach(object, key, value) {
        pld_json_put(builder, document, key, json_incref(value));
    }
    json_decref(object);
    return PLD_OK;
}

/** Take over `document`, or release it where some step failed. */
static pld_status finish(const pld_json_builder *builder, json_t *document, json_t **target,
                         pld_error *error) {
    *target = pld_json_finish(builder, document);
    return *target ? PLD_OK : pld_fail_memory(error, sizeof(json_t *), "configuration");
}

pld_status pld_describe_finish(pld_json_builder *builder, json_t *document,
                               const pld_description *description, json_t **config, pld_error *error) {
    const pld_published *published = description->published;
    const pld_published_part *row = pld_published_part_of(published, description->part);
    const char *prediction = description->prediction;
    pld_status status = row ? put_fields(builder, document, row->states, published->name, error) : PLD_OK;
    if (status == PLD_OK && row && prediction && strcmp(prediction, "v_prediction") == 0) {
        status = put_fields(builder, document, row->states_v, published->name, error);
    }
    if (status != PLD_OK) {
        json_decref(document);
        return status;
    }
    return finish(builder, document, config, error);
}

static pld_status describe_scheduler(const pld_published *published, const pld_told_prediction *prediction,
                                     json_t **scheduler, pld_error *error) {
    pld_json_builder builder = {0};
    json_t *document = NULL;
    PLD_TRY(pld_json_parse(published->scheduler, strlen(published->scheduler), published->name, &document,
                           error));
    if (prediction->type && strcmp(prediction->type, PLD_FLOW_PREDICTION) != 0) { /* else its class says so */
        pld_json_put(&builder, document, "prediction_type", json_string(prediction->type));
    }
    if (prediction->zero_snr) {
        pld_json_put(&builder, document, "rescale_betas_zero_snr", json_true());
        pld_json_put(&builder, document, "timestep_spacing", json_string("trailing"));
    }
    return finish(&builder, document, scheduler, error);
}

/** The document of a pipeline, while it is made. */
typedef struct index_builder {
    pld_json_builder json;
    json_t *document;
    bool modular;
} index_builder;

/** ["library", "Class"] of one component; in a modular pipeline's document with the place where it lies. */
static void add_component(index_builder *index, const char *name, const char *library, const char *kind) {
    json_t *entry = json_pack("[s, s]", library, kind);
    if (index->modular) {
        pld_json_append(&index->json, entry,
                        json_pack("{s:s, s:n, s:s, s:[s, s], s:n}", "pretrained_model_name_or_path", "",
                                  "revision", "subfolder", name, "type_hint", library, kind, "variant"));
    }
    pld_json_put(&index->json, index->document, name, entry);
}

pld_status pld_describe_pipeline(const pld_family *family, const pld_published *published,
                                 const pld_told_prediction *prediction, unsigned left_out, json_t **index,
                                 json_t **scheduler, pld_error *error) {
    PLD_TRY(describe_scheduler(published, prediction, scheduler, error));
    index_builder made = {.document = json_pack("{s:s}", "_class_name", published->pipeline),
                          .modular = family->modular};
    const char *schedule = json_string_value(json_object_get(*scheduler, "_class_name"));
    add_component(&made, "scheduler", "diffusers", schedule ? schedule : "");
    for (const pld_family_part *part = family->parts; part->name; part++) {
        const pld_published_part *row = pld_published_part_of(published, part->name);
        if (left_out >> (unsigned)(part - family->parts) & 1) {
            pld_json_put(&made.json, made.document, part->name, json_pack("[n, n]"));
            if (part->tokenizer) {
                pld_json_put(&made.json, made.document, part->tokenizer, json_pack("[n, n]"));
            }
            continue;
        }
        if (row) {
            add_component(&made, part->name, part->class->model_type ? "transformers" : "diffusers",
                          row->class_name);
        }
        if (row && part->tokenizer) {
            add_component(&made, part->tokenizer, "transformers", part->tokenizer_class);
        }
    }
    const pld_status status = put_fields(&made.json, made.document, published->index, published->name, error);
    if (status != PLD_OK) {
        json_decref(made.document);
        return status;
    }
    return finish(&made.json, made.document, index, error);
}

const char *pld_told_by_word(const pld_weight_files *weights, const char *word) {
    static const char *const keys[] = {"modelspec.architecture", "modelspec.title"};
    const char *path = pld_weight_files_path(weights, 0), *name = strrchr(path, '/');
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = pld_tensor_file_metadata_find(pld_weight_files_file(weights, 0), keys[i]);
        if (pld_has_word(value, word)) {
            return value;
        }
    }
    return pld_has_word(name ? name + 1 : path, word) ? "by its file's name" : NULL;
}
