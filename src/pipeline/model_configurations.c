/* SPDX-License-Identifier: Apache-2.0 */
/** What the JSON files of a model say, checked against each other. */
#include <string.h>

#include "core/memory.h"
#include "io/json.h"
#include "pipeline/internal.h"

static pld_status read_index(void *target, const pld_json *top, pld_error *error) {
    pld_model *model = target;
    const char *pipeline = NULL;
    PLD_TRY(pld_json_get_string(top, "_class_name", PLD_JSON_REQUIRED, &pipeline, error));
    model->family = pld_family_for_pipeline(pipeline);
    if (!model->family) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: the pipeline %.80s is not supported; 'pladis list families' names what is",
                        top->file, pipeline);
    }
    model->zero_negative = model->family->zero_negative;
    return model->zero_negative ? pld_json_get_bool(top, "force_zeros_for_empty_prompt", PLD_JSON_OPTIONAL,
                                                    &model->zero_negative, error)
                                : PLD_OK;
}

/** What the scheduler's document goes to. */
static pld_status parse_scheduler(void *target, const pld_json *top, pld_error *error) {
    pld_model *model = target;
    return pld_scheduler_config_read(top->value, top->file, &model->engine->log, &model->scheduler, error);
}

static pld_status read_scheduler(pld_model *model, pld_error *error) {
    static const char inside[] = "scheduler/scheduler_config.json";
    if (model->source.documents) {
        PLD_TRY(pld_model_source_json(&model->source, inside, parse_scheduler, model, error));
    } else { /* a file may hold infinities, which JSON lacks */
        char *file = pld_format("%s/%s", model->source.folder, inside);
        pld_status status =
            file ? pld_scheduler_config_load(file, &model->engine->log, &model->scheduler, error)
                 : pld_fail_memory(error, sizeof inside, "path");
        pld_free(file);
        PLD_TRY(status);
    }
    return pld_sampler_kind_for_config(&model->scheduler, &model->sampler, error);
}

/** "latent_rgb": red, green, blue for each latent channel in turn, then the three that are added. */
static pld_status read_latent_rgb(pld_model *model, const pld_json *top, pld_error *error) {
    enum { MOST = 3 * (PLD_MAX_LATENT_RGB + 1) };
    double values[MOST];
    size_t count = 0;
    PLD_TRY(pld_json_get_numbers(top, "latent_rgb", PLD_JSON_OPTIONAL, MOST, values, &count, error));
    if (count % 3 != 0 || count == 3) {
        return pld_fail(
            error, PLD_ERROR_FORMAT,
            "%s: field 'latent_rgb': expected three numbers for each latent channel and three more, found "
            "%zu",
            top->file, count);
    }
    for (size_t i = 0; i < count; i++) {
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
    PLD_TRY(pld_json_array(top, "trained_words", PLD_JSON_OPTIONAL, &list, error));
    if (!list.value) {
        return PLD_OK;
    }
    const size_t capacity = json_array_size(list.value);
    const char **words = pld_allocate(capacity, sizeof *words);
    if (!words) {
        return pld_fail_memory(error, capacity * sizeof *words, top->file);
    }
    pld_status status =
        pld_json_get_strings(top, "trained_words", PLD_JSON_OPTIONAL, capacity, words, &count, error);
    if (status == PLD_OK) {
        status = pld_known_words_create(words, count, top->file, &model->known_words, error);
    }
    pld_free(words);
    return status;
}

static pld_status read_preferences(void *target, const pld_json *top, pld_error *error) {
    pld_model *model = target;
    PLD_TRY(pld_json_get_integer(top, "steps", PLD_JSON_OPTIONAL, 1, 1000, &model->default_steps, error));
    PLD_TRY(pld_json_get_number(top, "cfg_scale", PLD_JSON_OPTIONAL, &model->default_cfg_scale, error));
    PLD_TRY(pld_json_get_number(top, "pladis_scale", PLD_JSON_OPTIONAL, &model->default_pladis_scale, error));
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

/** PART/config.json of each part. */
static pld_status read_parts(pld_model *model, pld_error *error) {
    static const pld_json_reader readers[PLD_ROLE_COUNT] = {[PLD_ROLE_TEXT_ENCODER] =
                                                                pld_clip_text_config_parse,
                                                            [PLD_ROLE_DENOISER] = pld_unet_config_parse,
                                                            [PLD_ROLE_AUTOENCODER] = pld_vae_config_parse};
    for (int i = 0; i < model->family->part_count; i++) {
        const pld_family_part *part = &model->family->parts[i];
        void *targets[PLD_ROLE_COUNT] = {
            [PLD_ROLE_DENOISER] = &model->unet, [PLD_ROLE_AUTOENCODER] = &model->vae};
        if (part->role == PLD_ROLE_TEXT_ENCODER) {
            pld_text_encoder *encoder = &model->text_encoders[model->text_encoder_count++];
            encoder->part = i;
            targets[PLD_ROLE_TEXT_ENCODER] = &encoder->config;
        }
        char *inside = pld_format("%s/config.json", part->name);
        pld_status status = inside ? pld_model_source_json(&model->source, inside, readers[part->role],
                                                           targets[part->role], error)
                                   : pld_fail_memory(error, 64, "path");
        pld_free(inside);
        PLD_TRY(status);
    }
    return PLD_OK;
}

/** The widths of the text encoders fit what the U-Net expects, and their texts have one length. */
static pld_status check_text(const pld_model *model, pld_error *error) {
    const char *path = model->source.path;
    const pld_unet_config *unet = &model->unet;
    const int64_t positions = model->text_encoders[0].config.positions;
    int64_t width = 0;
    int64_t pooled = 0;
    for (int i = 0; i < model->text_encoder_count; i++) {
        const pld_text_encoder *encoder = &model->text_encoders[i];
        const pld_family_part *part = &model->family->parts[encoder->part];
        width += encoder->config.width;
        pooled += part->pooled ? encoder->config.projection : 0;
        if (encoder->config.positions != positions) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: %s takes %lld positions (max_position_embeddings), text_encoder %lld", path,
                            part->name, (long long)encoder->config.positions, (long long)positions);
        }
    }
    if (unet->context_width != width) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: the U-Net expects text states of width %lld (cross_attention_dim), the text "
                        "encoders give %lld (sum of hidden_size)",
                        path, (long long)unet->context_width, (long long)width);
    }
    if (unet->pooled_width != pooled) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: the U-Net expects a pooled text embedding of width %lld "
                        "(projection_class_embeddings_input_dim less %d times addition_time_embed_dim), the "
                        "text encoders give %lld (projection_dim)",
                        path, (long long)unet->pooled_width, PLD_UNET_TIME_IDS, (long long)pooled);
    }
    return PLD_OK;
}

/** The parts must fit each other. */
static pld_status check_parts(const pld_model *model, pld_error *error) {
    PLD_TRY(check_text(model, error));
    if (model->unet.in_channels != model->vae.latent_channels ||
        model->unet.out_channels != model->unet.in_channels) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: the U-Net takes %lld channels and gives %lld, the autoencoder has %lld; "
                        "inpainting and other special networks are not supported",
                        model->source.path, (long long)model->unet.in_channels,
                        (long long)model->unet.out_channels, (long long)model->vae.latent_channels);
    }
    return PLD_OK;
}

pld_status pld_model_read_configurations(pld_model *model, pld_error *error) {
    PLD_TRY(pld_model_source_json(&model->source, "model_index.json", read_index, model, error));
    model->default_steps = model->family->default_steps;
    model->default_cfg_scale = model->family->default_cfg_scale;
    model->default_pladis_scale = 2.0;
    if (model->family->latent_rgb) {
        memcpy(model->latent_rgb, model->family->latent_rgb, 5 * sizeof *model->latent_rgb);
        model->latent_rgb_channels = 4;
    }
    PLD_TRY(read_optional_preferences(model, error));
    PLD_TRY(read_scheduler(model, error));
    PLD_TRY(read_parts(model, error));
    return check_parts(model, error);
}
