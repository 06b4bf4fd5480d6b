/* SPDX-License-Identifier: Apache-2.0 */
/** Opening a model: configurations, tokenizers, and every weight checked by name and shape. */
#include <string.h>

#include "core/memory.h"
#include "core/sized.h"
#include "pipeline/model/describe.h"
#include "pipeline/model/model.h"
#include "pipeline/model/weight_check.h"

/** The tokenizer of a part that knows ids below `vocabulary`. */
static pld_status open_tokenizer(pld_model *model, int index, int64_t vocabulary, pld_error *error) {
    pld_component *part = &model->parts[index];
    PLD_TRY(pld_model_source_tokenizer(&model->source, part->row, &part->tokenizer, error));
    if ((int64_t)pld_tokenizer_vocabulary_size(part->tokenizer) > vocabulary) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: its %s has %d tokens, but the %s knows %lld; give the tokenizer that "
                        "belongs to it with --tokenizer",
                        model->source.path, part->row->tokenizer,
                        (int)pld_tokenizer_vocabulary_size(part->tokenizer), part->class->title,
                        (long long)vocabulary);
    }
    return PLD_OK;
}

static pld_status open_tokenizers(pld_model *model, pld_error *error) {
    for (int i = 0; i < model->family->text_count; i++) {
        const pld_component *encoder = pld_text_encoder_of(model, i);
        if (pld_is_there(encoder)) {
            PLD_TRY(open_tokenizer(model, model->texts[i], encoder->text.vocabulary, error));
        }
    }
    return pld_conditioner_of(model)
               ? open_tokenizer(model, model->conditioner, model->conditioner_facts.vocabulary, error)
               : PLD_OK;
}

pld_model_part pld_describe_weights(const char *part, const char *class_name, const pld_weight_files *files) {
    uint64_t bytes[PLD_DTYPE_COUNT] = {0};
    int most = 0;
    for (size_t i = 0; i < pld_weight_files_count(files); i++) {
        const pld_stored_tensor *tensor = pld_weight_files_at(files, i).tensor;
        bytes[tensor->dtype] += tensor->bytes;
        most = bytes[tensor->dtype] > bytes[most] ? (int)tensor->dtype : most;
    }
    return (pld_model_part){.struct_size = sizeof(pld_model_part),
                            .name = part,
                            .kind = class_name,
                            .dtype = pld_dtype_name((pld_dtype)most),
                            .parameters = pld_weight_files_elements(files),
                            .bytes = pld_weight_files_bytes(files),
                            .files = pld_weight_files_file_count(files)};
}

/** A part without files: its network says what weights it wants, and they are made. */
static pld_status open_random_part(pld_model *model, int part, pld_error *error) {
    pld_component *own = &model->parts[part];
    PLD_TRY(pld_parameters_create_random(&model->engine->device->weights, &own->parameters, error));
    PLD_TRY(pld_model_bind(model, part, error));
    PLD_TRY(pld_parameters_settle_random(own->parameters, error));
    model->part_facts[part] =
        pld_describe_weights(own->row->name, own->class->name, pld_parameters_files(own->parameters));
    return PLD_OK;
}

static pld_status open_part(pld_model *model, int part, pld_error *error) {
    pld_component *own = &model->parts[part];
    pld_weight_files *files = NULL;
    if (model->source.random) {
        return open_random_part(model, part, error);
    }
    PLD_TRY(pld_model_source_weights(&model->source, own->row, own->class, own->config, &model->engine->log,
                                     &files, error));
    model->part_facts[part] = pld_describe_weights(own->row->name, own->class->name, files);
    PLD_TRY(pld_parameters_create(files, &model->engine->device->weights, &own->parameters, error));
    PLD_TRY(pld_model_bind(model, part, error));
    return pld_note_zero_weights(files, own->row->name, &model->engine->log, error);
}

/** Files of one network come from ComfyUI's users, folders from diffusers'. */
static bool counts_empty(const pld_model *model) {
    const pld_layout_part *found = NULL;
    const bool named = pld_model_source_denoiser(&model->source, &found) != NULL;
    return pld_conditioner_of(model) && named && strcmp(found->layout->naming, "diffusers") != 0;
}

/** What a prompt needs beside weights. */
static pld_status open_texts(pld_model *model, pld_error *error) {
    PLD_TRY(open_tokenizers(model, error));
    return pld_instruction_find(pld_family_instructed(model->family), model->source.folder,
                                &model->source.installed, &model->instruction, error);
}

static pld_status open_all(pld_model *model, const char *path, const pld_model_options *options, bool alone,
                           pld_error *error) {
    PLD_TRY(pld_reviewed_texts_create(&model->reviewed, error));
    PLD_TRY(pld_model_source_open(path, options, alone, &model->engine->log, &model->source, error));
    PLD_TRY(pld_model_read_configurations(model, error));
    model->empty_counts = counts_empty(model);
    PLD_TRY(alone ? PLD_OK : open_texts(model, error));
    for (int part = 0; part < model->part_count; part++) {
        if (pld_is_there(&model->parts[part])) {
            PLD_TRY(open_part(model, part, error));
            model->part_facts[model->public_part_count++] = model->part_facts[part];
        }
    }
    PLD_SIZED_LIST(model->public_parts, model->part_facts, model->public_part_count);
    return PLD_OK;
}

static const pld_model_options defaults = {0};

void pld_model_options_init(pld_model_options *options, size_t struct_size) {
    pld_sized_init(options, struct_size, &defaults, sizeof defaults);
}

pld_status pld_model_open(pld_engine *engine, const char *path, pld_model **model, pld_error *error) {
    return pld_model_open_with(engine, path, NULL, model, error);
}

static pld_status open_model(pld_engine *engine, const char *path, const pld_model_options *options,
                             bool alone, pld_model **model, pld_error *error) {
    pld_model_options full;
    PLD_NEED(engine);
    PLD_NEED(path);
    PLD_NEED(model);
    *model = NULL;
    PLD_TRY(PLD_SIZED_READ(pld_model_options, options, &defaults, &full, error));
    pld_model *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return pld_fail_memory(error, sizeof *made, path);
    }
    made->engine = engine;
    made->references = 1;
    pld_status status = open_all(made, path, &full, alone, error);
    if (status != PLD_OK) {
        pld_model_destroy(&made);
        return status;
    }
    *model = made;
    return PLD_OK;
}

pld_status pld_model_open_with(pld_engine *engine, const char *path, const pld_model_options *options,
                               pld_model **model, pld_error *error) {
    return open_model(engine, path, options, false, model, error);
}

pld_status pld_model_open_denoiser(pld_engine *engine, const char *path, const pld_model_options *options,
                                   pld_model **model, pld_error *error) {
    return open_model(engine, path, options, true, model, error);
}

void pld_model_retain(pld_model *model) {
    __atomic_add_fetch(&model->references, 1, __ATOMIC_RELAXED);
}

void pld_model_destroy(pld_model **model) {
    if (!model) {
        return;
    }
    pld_model *m = *model;
    *model = NULL;
    if (!m || __atomic_sub_fetch(&m->references, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    if (m->base) {
        pld_model *base = m->base;
        pld_model_free_loras(m);
        pld_free(m);
        pld_model_destroy(&base);
        return;
    }
    for (int part = 0; part < m->part_count; part++) {
        pld_parameters_destroy(&m->parts[part].parameters);
        pld_tokenizer_close(m->parts[part].tokenizer);
        pld_free(m->parts[part].config);
    }
    pld_scheduler_config_clear(&m->scheduler);
    pld_free(m->instruction);
    pld_known_words_destroy(&m->known_words);
    pld_reviewed_texts_destroy(&m->reviewed);
    pld_model_source_close(&m->source);
    pld_free(m->sites);
    pld_free(m->site_facts);
    pld_free(m->public_sites);
    pld_free(m);
}
