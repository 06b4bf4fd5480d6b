/* SPDX-License-Identifier: Apache-2.0 */
/** What the JSON files of a model say, checked against each other. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "io/json/read.h"
#include "models/classes.h"
#include "pipeline/model/model.h"

/** What model_index.json names that drawing does not need. */
static bool is_optional(const char *component) {
    static const char *const optional[] = {"safety_checker", "feature_extractor", "image_encoder"};
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
        if (strcmp(component, optional[i]) == 0) {
            return true;
        }
    }
    return false;
}

/** Whether a family passes a component over by name. */
static bool is_passed_over(const pld_family *family, const char *component) {
    for (const char *const *name = family->left_out; name && *name; name++) {
        if (strcmp(*name, component) == 0) {
            return true;
        }
    }
    return false;
}

/** What a component of the pipeline is to the family. */
typedef struct component_place {
    const pld_family_part
        *part; /* it is this part, or with `tokenizer` that part's tokenizer; NULL: neither */
    bool tokenizer, scheduler;
} component_place;

static component_place place_of(const pld_family *family, const char *component) {
    for (const pld_family_part *part = family->parts; part->name; part++) {
        const bool tokenizer = part->tokenizer && strcmp(component, part->tokenizer) == 0;
        if (tokenizer || strcmp(component, part->name) == 0) {
            return (component_place){part, tokenizer, false};
        }
    }
    return (component_place){NULL, false, strcmp(component, "scheduler") == 0};
}

static bool is_wanted(component_place place) {
    return place.part || place.scheduler;
}

/** A scheduler's class is a sampler's, or refused. */
static pld_status check_scheduler_class(const pld_json *at, const char *field, const char *name,
                                        pld_error *error) {
    return pld_sampler_has_class(name) ? PLD_OK
                                       : pld_class_check(at, field, name, PLD_CLASS_SCHEDULER, error);
}

/** One entry "component": ["library", "Class"], or [null, null] where a pipeline goes without. */
static pld_status check_component(pld_model *model, const pld_json *top, const char *component,
                                  pld_error *error) {
    pld_json entry;
    pld_json class_name;
    PLD_TRY(pld_json_array(top, component, PLD_JSON_NULLABLE, &entry, error));
    pld_json_element(&entry, 1, &class_name);
    const char *name = json_string_value(class_name.value);
    const component_place place = place_of(model->family, component);
    if (place.part && !name &&
        (place.part->optional || pld_model_source_omits(&model->source, place.part->class->role))) {
        return PLD_OK;
    }
    if (is_wanted(place) && !name) {
        return pld_fail(
            error, PLD_ERROR_FORMAT,
            "%s: field '%s': expected [\"library\", \"Class\"], found no class; the pipeline needs it",
            top->file, component);
    }
    if (place.scheduler) {
        snprintf(model->scheduler_class, sizeof model->scheduler_class, "%s", name);
        return check_scheduler_class(top, component, name, error);
    }
    if (place.part) {
        model->parts[place.part - model->family->parts].named |= !place.tokenizer;
        return place.tokenizer
                   ? pld_class_check_tokenizer(top, component, name, place.part->tokenizer_class, error)
                   : pld_class_check_part(top, component, name, place.part->class, error);
    }
    const pld_class *known = name ? pld_class_find(name) : NULL;
    if (known && known->is) {
        return pld_class_check(top, component, name, known->role, error);
    }
    if (name) {
        pld_log_message(&model->engine->log, PLD_LOG_NOTICE, "%s: component '%.60s' (%.60s) is not used",
                        top->file, component, name);
    }
    return PLD_OK;
}

static pld_status read_index(void *target, const pld_json *top, pld_error *error) {
    pld_model *model = target;
    const char *pipeline = NULL;
    PLD_TRY(pld_json_get_string(top, "_class_name", PLD_JSON_REQUIRED, &pipeline, error));
    model->family = pld_family_for_pipeline(pipeline, &model->pipeline);
    if (!model->family) {
        return pld_class_check(top, "_class_name", pipeline, PLD_CLASS_PIPELINE, error);
    }
    const char *component = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)top->value, component, value) {
        const bool is_list = json_is_array(value) || is_wanted(place_of(model->family, component));
        if (component[0] != '_' && is_list && !is_optional(component) &&
            !is_passed_over(model->family, component)) {
            PLD_TRY(check_component(model, top, component, error));
        }
    }
    PLD_TRY(pld_json_get_flag(top, "is_distilled", &model->distilled, error));
    model->zero_negative = model->family->zero_negative;
    return model->zero_negative
               ? pld_json_get_flag(top, "force_zeros_for_empty_prompt", &model->zero_negative, error)
               : PLD_OK;
}

/** What the scheduler's document goes to. */
static pld_status parse_scheduler(void *target, const pld_json *top, pld_error *error) {
    pld_model *model = target;
    return pld_scheduler_config_read(top->value, top->file, &model->engine->log, &model->scheduler, error);
}

/** The sampler of the scheduler's own file, or where that names no class of model_index.json. */
static pld_status choose_sampler(pld_model *model, pld_error *error) {
    const char *own = model->scheduler.class_name;
    const char *named = model->scheduler_class;
    const pld_json at = {.file = model->scheduler.file};
    const char *class_name = own[0] ? own : named;
    PLD_TRY(check_scheduler_class(&at, "_class_name", class_name, error));
    if (named[0] && strcmp(class_name, named) != 0) {
        pld_log_message(&model->engine->log, PLD_LOG_NOTICE,
                        "%s: its scheduler, %s, takes precedence; model_index.json names %s", at.file, own,
                        named);
    }
    return pld_sampler_kind_for_class(class_name, &model->scheduler, &model->sampler, error);
}

static pld_status read_scheduler(pld_model *model, pld_error *error) {
    static const char inside[] = "scheduler/scheduler_config.json";
    if (pld_model_source_document(&model->source, inside)) {
        PLD_TRY(pld_model_source_json(&model->source, inside, parse_scheduler, model, error));
    } else { /* a file may hold infinities, which JSON lacks */
        char *file = pld_format("%s/%s", model->source.folder, inside);
        pld_status status =
            file ? pld_scheduler_config_load(file, &model->engine->log, &model->scheduler, error)
                 : pld_fail_memory(error, sizeof inside, "path");
        pld_free(file);
        PLD_TRY(status);
    }
    return choose_sampler(model, error);
}

/** "latent_rgb": red, green, blue for each latent channel in turn, then the three that are added. */
static pld_status read_latent_rgb(pld_model *model, const pld_json *top, pld_error *error) {
    enum { MOST = 3 * (PLD_MAX_LATENT_RGB + 1) };
    double values[MOST];
    size_t count = 0;
    PLD_TRY(pld_json_get_numbers(top, "latent_rgb", PLD_JSON_NULLABLE, MOST, values, &count, error));
    if (count % 3 != 0 || count == 3) {
        return pld_fail(
            error, PLD_ERROR_FORMAT,
            "%s: field 'latent_rgb': expected three numbers for each latent channel and three more, found "
            "%zu",
            top->file, count);
    }
    for (size_t i = 0; i < count; i++) {
        if (!(values[i] >= -PLD_MOST_SCALE && values[i] <= PLD_MOST_SCALE)) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: field 'latent_rgb[%zu]': expected a number from %d to %d, found %g",
                            top->file, i, -PLD_MOST_SCALE, PLD_MOST_SCALE, values[i]);
        }
        model->latent_rgb[i / 3][i % 3] = values[i];
    }
    model->latent_rgb_channels = count ? (int64_t)(count / 3) - 1 : model->latent_rgb_channels;
    return PLD_OK;
}

/** "trained_words": what a model of a small world was trained on, the words that a person should see first.
 */
static pld_status read_trained_words(pld_model *model, const pld_json *top, pld_error *error) {
    pld_json list;
    size_t count = 0;
    PLD_TRY(pld_json_array(top, "trained_words", PLD_JSON_NULLABLE, &list, error));
    if (!list.value) {
        return PLD_OK;
    }
    const size_t capacity = json_array_size(list.value);
    const char **words = pld_allocate(capacity, sizeof *words);
    if (!words) {
        return pld_fail_memory(error, capacity * sizeof *words, top->file);
    }
    pld_status status =
        pld_json_get_strings(top, "trained_words", PLD_JSON_REQUIRED, capacity, words, &count, error);
    if (status == PLD_OK) {
        status = pld_known_words_create(words, count, top->file, &model->known_words, error);
    }
    pld_free(words);
    return status;
}

/** A number of pladis.json in the range that the option of its name has. */
static pld_status read_preference(const pld_json *top, const char *field, double *value, pld_error *error) {
    double found = *value;
    PLD_TRY(pld_json_get_number(top, field, PLD_JSON_NULLABLE, &found, error));
    if (!(found >= -PLD_MOST_SCALE && found <= PLD_MOST_SCALE)) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: field '%s': expected a number from %d to %d, found %g",
                        top->file, field, -PLD_MOST_SCALE, PLD_MOST_SCALE, found);
    }
    *value = found;
    return PLD_OK;
}

static pld_status read_preferences(void *target, const pld_json *top, pld_error *error) {
    pld_model *model = target;
    PLD_TRY(pld_json_get_integer(top, "steps", PLD_JSON_NULLABLE, 1, 1000, &model->default_steps, error));
    PLD_TRY(read_preference(top, "cfg_scale", &model->default_cfg_scale, error));
    PLD_TRY(read_preference(top, "pladis_scale", &model->default_pladis_scale, error));
    PLD_TRY(read_latent_rgb(model, top, error));
    return read_trained_words(model, top, error);
}

/** pladis.json is this program's own: what is right for a model where it differs from its family. */
static pld_status read_optional_preferences(pld_model *model, pld_error *error) {
    static const char inside[] = "pladis.json";
    bool there = false;
    PLD_TRY(pld_model_source_has(&model->source, inside, &there, error));
    return there ? pld_model_source_json(&model->source, inside, read_preferences, model, error) : PLD_OK;
}

/** The document of one part, into memory of its class's size. */
static pld_status read_part(pld_model *model, pld_component *part, pld_error *error) {
    char *inside = pld_format("%s/config.json", part->row->name);
    part->config = pld_allocate(1, part->class->config_bytes);
    pld_status status =
        inside && part->config
            ? pld_model_source_json(&model->source, inside, part->class->read, part->config, error)
            : pld_fail_memory(error, part->class->config_bytes, "configuration");
    pld_free(inside);
    return status;
}

/** What is known of the parts by their configurations. */
static void gather_facts(pld_model *model) {
    const pld_component *denoiser = pld_denoiser_of(model), *autoencoder = pld_autoencoder_of(model);
    denoiser->class->denoiser->facts(denoiser->config, &model->denoiser_facts);
    if (pld_is_there(autoencoder)) {
        autoencoder->class->autoencoder->facts(autoencoder->config, &model->autoencoder_facts);
    }
    for (int i = 0; i < model->family->text_count; i++) {
        pld_component *encoder = &model->parts[model->texts[i]];
        if (pld_is_there(encoder)) {
            encoder->class->text_encoder->facts(encoder->config, &encoder->text);
        }
    }
    const pld_component *conditioner = pld_conditioner_of(model);
    if (conditioner) {
        conditioner->class->conditioner->facts(conditioner->config, &model->conditioner_facts);
    }
    const double(*rgb)[3] = model->autoencoder_facts.latent_rgb;
    if (rgb && model->latent_rgb_channels == 0) { /* the model's own take precedence */
        model->latent_rgb_channels = model->autoencoder_facts.channels;
        memcpy(model->latent_rgb, rgb, (size_t)(model->latent_rgb_channels + 1) * sizeof *rgb);
    }
    if (!model->denoiser_facts.sample_size) {
        model->denoiser_facts.sample_size = model->family->sample_size;
    }
}

/** Whether a model goes without a part. */
static bool is_left_out(const pld_model *model, const pld_component *part) {
    const pld_layout_part *found = NULL;
    return part->row->optional && !part->named && !pld_model_source_holder(&model->source, part->row, &found);
}

/** PART/config.json of each part. */
static pld_status read_parts(pld_model *model, pld_error *error) {
    const pld_family *family = model->family;
    model->part_count = pld_family_part_count(family);
    model->denoiser = pld_family_part_with(family, PLD_ROLE_DENOISER);
    model->autoencoder = pld_family_part_with(family, PLD_ROLE_AUTOENCODER);
    for (int i = 0; i < family->text_count; i++) {
        model->texts[i] = pld_family_part_index(family, family->texts[i].part);
    }
    model->conditioner = family->conditioner ? pld_family_part_index(family, family->conditioner->part) : -1;
    for (int i = 0; i < model->part_count; i++) {
        model->parts[i].row = &family->parts[i];
        model->parts[i].class = family->parts[i].class;
        if (pld_model_source_omits(&model->source, model->parts[i].class->role)) {
            continue;
        }
        if (is_left_out(model, &model->parts[i])) {
            pld_log_message(&model->engine->log, PLD_LOG_NOTICE,
                            "%s: there is no %s; the states of its text are zeros", model->source.path,
                            family->parts[i].what);
        } else {
            PLD_TRY(read_part(model, &model->parts[i], error));
        }
    }
    gather_facts(model);
    return PLD_OK;
}

/** States that stand beside each other are of texts of one length. */
static pld_status check_lengths(const pld_model *model, pld_error *error) {
    const pld_component *first = pld_text_encoder_of(model, 0);
    for (int i = 1; i < model->family->text_count; i++) {
        const pld_component *encoder = pld_text_encoder_of(model, i);
        const pld_text_use *use = &model->family->texts[i];
        if (!use->pooled_only && !use->behind && encoder->text.positions != first->text.positions) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: %s takes %lld positions (max_position_embeddings), but %s takes %lld",
                            model->source.path, encoder->row->name, (long long)encoder->text.positions,
                            first->row->name, (long long)first->text.positions);
        }
    }
    return PLD_OK;
}

/** Widths of text states. */
typedef struct text_widths {
    int64_t beside;  /* of those that stand beside each other */
    int64_t behind;  /* of those that stand behind them; 0: there are none */
    bool has_behind; /* there may be some, so that the others are filled up */
} text_widths;

static text_widths widths_of(const pld_model *model) {
    text_widths widths = {0};
    for (int i = 0; i < model->family->text_count; i++) {
        const pld_text_use *use = &model->family->texts[i];
        const int64_t width = pld_text_states_width(model, i);
        widths.has_behind = widths.has_behind || use->behind;
        if (use->behind) {
            widths.behind = width;
        } else if (!use->pooled_only) {
            widths.beside += width;
        }
    }
    return widths;
}

/** States of the text encoders fit the denoiser, or the conditioner between them. */
static pld_status check_text_width(const pld_model *model, pld_error *error) {
    const pld_component *conditioner = pld_conditioner_of(model), *denoiser = pld_denoiser_of(model);
    const pld_denoiser_facts *facts = &model->denoiser_facts;
    const int64_t wanted = pld_text_width_of(model);
    const text_widths widths = widths_of(model);
    const bool fills = widths.has_behind && widths.beside <= wanted;
    const int64_t width = widths.behind ? widths.behind : fills ? wanted : widths.beside;
    if (wanted != width || widths.beside > wanted) {
        return pld_fail(
            error, PLD_ERROR_FORMAT,
            "%s: the %s expects text states of width %lld (%s), but those of the text encoders have "
            "%lld; use parts that belong together",
            model->source.path, (conditioner ? conditioner : denoiser)->class->title, (long long)wanted,
            conditioner ? model->conditioner_facts.source_width_field : facts->state_width_field,
            (long long)(wanted != width ? width : widths.beside));
    }
    return !conditioner || model->conditioner_facts.width == facts->state_width
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_FORMAT,
                          "%s: the %s expects text states of width %lld (%s), but those of the %s have %lld; "
                          "use parts that belong together",
                          model->source.path, denoiser->class->title, (long long)facts->state_width,
                          facts->state_width_field, conditioner->class->title,
                          (long long)model->conditioner_facts.width);
}

/** A text encoder has the layers after which its states are taken. */
static pld_status check_layers(const pld_model *model, int index, pld_error *error) {
    const pld_text_use *use = &model->family->texts[index];
    const pld_component *encoder = pld_text_encoder_of(model, index);
    const int64_t wanted = use->state_count ? use->states_after[use->state_count - 1] : 0;
    return encoder->text.layers >= wanted
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_FORMAT,
                          "%s: the denoiser wants states after %lld layers of the %s, which has %lld "
                          "(num_hidden_layers); use parts that belong together",
                          model->source.path, (long long)wanted, encoder->row->name,
                          (long long)encoder->text.layers);
}

/** The widths of the text encoders fit what the denoiser expects. */
static pld_status check_text(const pld_model *model, pld_error *error) {
    const char *path = model->source.path;
    const char *title = pld_denoiser_of(model)->class->title;
    const pld_denoiser_facts *denoiser = &model->denoiser_facts;
    int64_t pooled = 0;
    if (model->family->text_count == 0) { /* states come from a file, which is checked when it is read */
        return PLD_OK;
    }
    for (int i = 0; i < model->family->text_count; i++) {
        const pld_component *encoder = pld_text_encoder_of(model, i);
        const bool is_pooled = model->family->texts[i].pooled;
        PLD_TRY(check_layers(model, i, error));
        pooled += is_pooled ? encoder->text.projection : 0;
        if (is_pooled && encoder->text.projection == 0) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: %s/config.json: field 'projection_dim' is null; expected the width of the "
                            "pooled embedding, on which the %s is conditioned",
                            path, encoder->row->name, title);
        }
    }
    PLD_TRY(check_text_width(model, error));
    if (denoiser->pooled_width != pooled) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: the %s expects a pooled text embedding of width %lld (%s), but the text "
                        "encoders return %lld (%s)",
                        path, title, (long long)denoiser->pooled_width,
                        denoiser->pooled_width_field
                            ? denoiser->pooled_width_field
                            : "projection_class_embeddings_input_dim less the embedding of sizes",
                        (long long)pooled, denoiser->pooled_width_field ? "hidden_size" : "projection_dim");
    }
    return check_lengths(model, error);
}

/** What a denoiser is that takes more channels than its latents have, by how many they are. */
static const char *special_network(int64_t channels, int64_t latents) {
    return channels == 2 * latents + 1 ? "inpainting networks, which also take a mask and the masked picture,"
           : channels == 2 * latents   ? "networks that edit a picture (InstructPix2Pix)"
           : channels == latents + 1   ? "networks conditioned on depth"
           : channels == latents + 3   ? "upscalers, which also take the small picture,"
                                       : "such networks";
}

/** The parts must fit each other. */
static pld_status check_parts(const pld_model *model, pld_error *error) {
    const int64_t in = model->denoiser_facts.channels;
    const int64_t latents = model->autoencoder_facts.channels;
    PLD_TRY(check_text(model, error));
    if (in != latents || model->denoiser_facts.output_channels < in) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: the %s takes %lld channels (in_channels) and returns %lld, but the autoencoder "
                        "has %lld; %s are not supported",
                        model->source.path, pld_denoiser_of(model)->class->title, (long long)in,
                        (long long)model->denoiser_facts.output_channels, (long long)latents,
                        special_network(in, latents));
    }
    return PLD_OK;
}

/** Whether files that were given hold a part of the family, and no others given for the same part go before them. */
static bool is_used(const pld_model *model, const pld_source_files *files) {
    bool used = false;
    for (const pld_family_part *part = model->family->parts; part->name; part++) {
        const pld_layout_part *found = NULL;
        used = used || pld_model_source_holder(&model->source, part, &found) == files;
    }
    return used;
}

/** What is given in place of a part must be one that the family has: it would be left unused in silence. */
static pld_status check_replacements(const pld_model *model, pld_error *error) {
    static const struct {
        int place;
        pld_part_role role;
        const char *option;
    } rows[] = {{PLD_SOURCE_DENOISER, PLD_ROLE_DENOISER, "--unet"},
                {PLD_SOURCE_AUTOENCODER, PLD_ROLE_AUTOENCODER, "--vae"},
                {PLD_SOURCE_TEXT_ENCODER, PLD_ROLE_TEXT_ENCODER, "--text-encoder"},
                {PLD_SOURCE_TEXT_ENCODER_2, PLD_ROLE_TEXT_ENCODER, "--text-encoder-2"},
                {PLD_SOURCE_TEXT_ENCODER_3, PLD_ROLE_TEXT_ENCODER, "--text-encoder-3"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const pld_source_files *files = &model->source.files[rows[i].place];
        const pld_layout_part *found =
            files->files ? pld_layout_find_role(&files->contents, rows[i].role) : NULL;
        if (found && !is_used(model, files)) {
            const pld_family_part *own =
                &model->family->parts[pld_family_part_with(model->family, rows[i].role)];
            return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                            "%s: this is a %s, which cannot take the place of the %s of %s; leave out %s",
                            pld_weight_files_path(files->files, 0), found->class->title, own->class->title,
                            model->source.path, rows[i].option);
        }
    }
    return PLD_OK;
}

pld_status pld_model_read_configurations(pld_model *model, pld_error *error) {
    PLD_TRY(pld_model_source_json(&model->source, model->source.index, read_index, model, error));
    PLD_TRY(pld_model_source_settle(&model->source, model->family, error));
    PLD_TRY(check_replacements(model, error));
    model->default_steps = model->family->default_steps;
    model->default_cfg_scale = model->family->default_cfg_scale;
    model->default_pladis_scale = model->family->default_pladis_scale;
    PLD_TRY(read_optional_preferences(model, error));
    PLD_TRY(read_scheduler(model, error));
    PLD_TRY(read_parts(model, error));
    return model->source.alone ? PLD_OK : check_parts(model, error);
}
