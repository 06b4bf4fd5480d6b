/* SPDX-License-Identifier: Apache-2.0 */
/** Opening a diffusers folder: configurations, tokenizer, and every weight checked by name and shape. */
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "io/json.h"
#include "pipeline/internal.h"

/** The components of a Stable Diffusion folder. */
static const struct {
    const char *name, *kind, *stem;
} parts[PLD_PART_COUNT] = {
    [PLD_PART_TEXT] = {"text_encoder", "CLIPTextModel", "model"},
    [PLD_PART_UNET] = {"unet", "UNet2DConditionModel", "diffusion_pytorch_model"},
    [PLD_PART_VAE] = {"vae", "AutoencoderKL", "diffusion_pytorch_model"},
};

/** FOLDER/a/b in new memory, or NULL. */
static char *join(const char *folder, const char *inside) {
    return pld_format("%s/%s", folder, inside);
}

static pld_status check_folder(const char *path, pld_error *error) {
    struct stat found;
    if (stat(path, &found) != 0) {
        return pld_fail(error, PLD_ERROR_MISSING, "%s: no such model; give a diffusers folder", path);
    }
    if (!S_ISDIR(found.st_mode)) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: single-file checkpoints cannot be opened yet; expected a diffusers folder with "
                        "model_index.json, unet/, vae/, text_encoder/, tokenizer/ and scheduler/",
                        path);
    }
    return PLD_OK;
}

/** Read one JSON file of the model with `read`. */
static pld_status with_json(const pld_model *model, const char *inside, pld_json_reader read, void *target,
                            pld_error *error) {
    char *file = join(model->path, inside);
    pld_status status =
        file ? pld_json_read_file(file, read, target, error) : pld_fail_memory(error, strlen(inside), "path");
    pld_free(file);
    return status;
}

static pld_status read_index(void *target, const pld_json *top, pld_error *error) {
    pld_model *model = target;
    const char *pipeline = NULL;
    PLD_TRY(pld_json_get_string(top, "_class_name", PLD_JSON_REQUIRED, &pipeline, error));
    model->family = pld_family_for_pipeline(pipeline);
    return model->family
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_UNSUPPORTED,
                          "%s: the pipeline %.80s is not supported; 'pladis list families' names what is",
                          top->file, pipeline);
}

static pld_status read_scheduler(pld_model *model, pld_error *error) {
    char *file = join(model->path, "scheduler/scheduler_config.json");
    pld_status status = file ? pld_scheduler_config_load(file, &model->engine->log, &model->scheduler, error)
                             : pld_fail_memory(error, strlen(model->path), "path");
    pld_free(file);
    PLD_TRY(status);
    return pld_sampler_kind_for_config(&model->scheduler, &model->sampler, error);
}

static pld_status read_preferences(void *target, const pld_json *top, pld_error *error) {
    pld_model *model = target;
    PLD_TRY(pld_json_get_integer(top, "steps", PLD_JSON_OPTIONAL, 1, 1000, &model->default_steps, error));
    PLD_TRY(pld_json_get_number(top, "cfg_scale", PLD_JSON_OPTIONAL, &model->default_cfg_scale, error));
    return pld_json_get_number(top, "pladis_scale", PLD_JSON_OPTIONAL, &model->default_pladis_scale, error);
}

/** pladis.json is this program's own: what is right for a model where it differs from its family. */
static pld_status read_optional_preferences(pld_model *model, pld_error *error) {
    struct stat found;
    char *file = join(model->path, "pladis.json");
    if (!file) {
        return pld_fail_memory(error, 64, "path");
    }
    bool there = stat(file, &found) == 0;
    pld_free(file);
    return there ? with_json(model, "pladis.json", read_preferences, model, error) : PLD_OK;
}

/** `read` (a config reader) on PART/config.json. */
#define READ_CONFIG(model, part, read, target, error)                                                        \
    do {                                                                                                     \
        char *config_file = pld_format("%s/%s/config.json", (model)->path, parts[part].name);                \
        pld_status config_status =                                                                           \
            config_file ? read(config_file, target, error) : pld_fail_memory(error, 64, "path");             \
        pld_free(config_file);                                                                               \
        PLD_TRY(config_status);                                                                              \
    } while (0)

static pld_status read_configurations(pld_model *model, pld_error *error) {
    PLD_TRY(with_json(model, "model_index.json", read_index, model, error));
    model->default_steps = model->family->default_steps;
    model->default_cfg_scale = model->family->default_cfg_scale;
    model->default_pladis_scale = 2.0;
    PLD_TRY(read_optional_preferences(model, error));
    PLD_TRY(read_scheduler(model, error));
    READ_CONFIG(model, PLD_PART_TEXT, pld_clip_text_config_read, &model->text, error);
    READ_CONFIG(model, PLD_PART_UNET, pld_unet_config_read, &model->unet, error);
    READ_CONFIG(model, PLD_PART_VAE, pld_vae_config_read, &model->vae, error);
    if (model->unet.context_width != model->text.width) {
        return pld_fail(
            error, PLD_ERROR_FORMAT,
            "%s: the U-Net expects text states of width %lld (cross_attention_dim), the text encoder gives "
            "%lld (hidden_size)",
            model->path, (long long)model->unet.context_width, (long long)model->text.width);
    }
    if (model->unet.in_channels != model->vae.latent_channels ||
        model->unet.out_channels != model->unet.in_channels) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: the U-Net takes %lld channels and gives %lld, the autoencoder has %lld; "
                        "inpainting and other "
                        "special networks are not supported",
                        model->path, (long long)model->unet.in_channels, (long long)model->unet.out_channels,
                        (long long)model->vae.latent_channels);
    }
    return PLD_OK;
}

static pld_status open_tokenizer(pld_model *model, pld_error *error) {
    char *folder = join(model->path, "tokenizer");
    if (!folder) {
        return pld_fail_memory(error, 64, "path");
    }
    pld_status status = pld_clip_tokenizer_open(folder, &model->tokenizer, error);
    if (status == PLD_OK && pld_clip_vocabulary_size(model->tokenizer) > model->text.vocabulary) {
        status = pld_fail(error, PLD_ERROR_FORMAT, "%s: %d tokens, but the text encoder knows %lld", folder,
                          (int)pld_clip_vocabulary_size(model->tokenizer), (long long)model->text.vocabulary);
    }
    pld_free(folder);
    return status;
}

/** Write the networks down once, for their smallest shape, so that every weight is looked up and checked. */
static pld_status bind_text(pld_model *model, pld_error *error) {
    pld_plan plan;
    pld_clip_text_values values;
    pld_plan_init(&plan, model->parameters[PLD_PART_TEXT]);
    pld_parameters_ignore(plan.parameters, "text_model.embeddings.position_ids");
    pld_parameters_ignore(plan.parameters, "embeddings.position_ids");
    pld_parameters_ignore(plan.parameters, "text_projection.weight");
    pld_status status = pld_clip_text_build(&plan, &model->text, 1, 0, &values, error);
    pld_plan_free(&plan);
    return status;
}

static pld_status copy_sites(pld_model *model, const pld_plan *plan, pld_error *error) {
    model->site_count = plan->site_count;
    model->sites = pld_allocate(plan->site_count, sizeof *model->sites);
    model->public_sites = pld_allocate(plan->site_count, sizeof *model->public_sites);
    if (!model->sites || !model->public_sites) {
        return pld_fail_memory(error, plan->site_count * sizeof *model->sites, "attention sites");
    }
    for (size_t i = 0; i < plan->site_count; i++) {
        pld_site *site = &model->sites[i];
        *site = plan->sites[i];
        bool cross = site->kind == PLD_SITE_CROSS;
        model->public_sites[i] =
            (pld_attention_site){site->name, cross ? "cross" : "self", site->heads, site->head_size};
        model->cross_count += cross;
    }
    return PLD_OK;
}

static pld_status bind_unet_context(pld_model *model, pld_error *error) {
    pld_plan plan;
    pld_unet_context_values values = {.keys = pld_allocate(model->cross_count, sizeof(pld_value_id)),
                                      .values = pld_allocate(model->cross_count, sizeof(pld_value_id))};
    pld_plan_init(&plan, model->parameters[PLD_PART_UNET]);
    pld_status status =
        !values.keys || !values.values
            ? pld_fail_memory(error, model->cross_count, "plan")
            : pld_unet_context_build(&plan, &model->unet, model->sites, model->site_count, 1, &values, error);
    pld_plan_free(&plan);
    pld_free(values.keys);
    pld_free(values.values);
    return status;
}

static pld_status bind_unet(pld_model *model, pld_error *error) {
    pld_plan plan;
    pld_unet_values values;
    const int64_t side = (int64_t)1 << model->unet.levels;
    pld_plan_init(&plan, model->parameters[PLD_PART_UNET]);
    pld_status status = pld_unet_build(&plan, &model->unet, 1, side, side, &values, error);
    if (status == PLD_OK) {
        status = copy_sites(model, &plan, error);
    }
    pld_plan_free(&plan);
    return status == PLD_OK ? bind_unet_context(model, error) : status;
}

static pld_status bind_vae(pld_model *model, pld_error *error) {
    pld_plan decoder;
    pld_plan encoder;
    pld_vae_values values;
    pld_plan_init(&decoder, model->parameters[PLD_PART_VAE]);
    pld_plan_init(&encoder, model->parameters[PLD_PART_VAE]);
    pld_status status = pld_vae_decoder_build(&decoder, &model->vae, 1, 2, 2, &values, error);
    if (status == PLD_OK) {
        const int64_t side = 2 * pld_vae_factor(&model->vae);
        status = pld_vae_encoder_build(&encoder, &model->vae, 1, side, side, &values, error);
    }
    pld_plan_free(&decoder);
    pld_plan_free(&encoder);
    return status;
}

/** Open the files of a part and describe it. */
static pld_status open_part(pld_model *model, int part, pld_error *error) {
    char *folder = join(model->path, parts[part].name);
    if (!folder) {
        return pld_fail_memory(error, 64, "path");
    }
    pld_status status = pld_parameters_open(folder, parts[part].stem, model->engine->kernels,
                                            &model->parameters[part], error);
    pld_free(folder);
    PLD_TRY(status);
    const pld_weight_files *files = pld_parameters_files(model->parameters[part]);
    uint64_t bytes[PLD_DTYPE_COUNT] = {0};
    int most = 0;
    for (size_t i = 0; i < pld_weight_files_count(files); i++) {
        const pld_stored_tensor *tensor = pld_weight_files_at(files, i).tensor;
        bytes[tensor->dtype] += tensor->bytes;
        most = bytes[tensor->dtype] > bytes[most] ? (int)tensor->dtype : most;
    }
    model->parts[part] = (pld_model_part){parts[part].name,
                                          parts[part].kind,
                                          pld_dtype_name((pld_dtype)most),
                                          pld_weight_files_elements(files),
                                          pld_weight_files_bytes(files),
                                          (int)pld_weight_files_file_count(files)};
    return PLD_OK;
}

static pld_status open_weights(pld_model *model, pld_error *error) {
    static pld_status (*const bind[PLD_PART_COUNT])(pld_model *, pld_error *) = {
        [PLD_PART_TEXT] = bind_text, [PLD_PART_UNET] = bind_unet, [PLD_PART_VAE] = bind_vae};
    for (int part = 0; part < PLD_PART_COUNT; part++) {
        PLD_TRY(open_part(model, part, error));
        PLD_TRY(bind[part](model, error));
        PLD_TRY(pld_parameters_check_all_used(model->parameters[part], error));
    }
    return PLD_OK;
}

static pld_status open_all(pld_model *model, const char *path, pld_error *error) {
    PLD_TRY(check_folder(path, error));
    PLD_TRY(read_configurations(model, error));
    PLD_TRY(open_tokenizer(model, error));
    return open_weights(model, error);
}

pld_status pld_model_open(pld_engine *engine, const char *path, pld_model **model, pld_error *error) {
    *model = NULL;
    pld_model *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return pld_fail_memory(error, sizeof *made, path);
    }
    made->engine = engine;
    made->path = pld_copy_string(path);
    pld_status status =
        made->path ? open_all(made, path, error) : pld_fail_memory(error, strlen(path), "path");
    if (status != PLD_OK) {
        pld_model_destroy(&made);
        return status;
    }
    *model = made;
    return PLD_OK;
}

void pld_model_destroy(pld_model **model) {
    pld_model *m = *model;
    if (!m) {
        return;
    }
    for (int part = 0; part < PLD_PART_COUNT; part++) {
        pld_parameters_destroy(&m->parameters[part]);
    }
    pld_scheduler_config_clear(&m->scheduler);
    pld_clip_tokenizer_close(m->tokenizer);
    pld_free(m->sites);
    pld_free(m->public_sites);
    pld_free(m->path);
    pld_free(m);
    *model = NULL;
}
