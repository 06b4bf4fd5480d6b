/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/generate/preset.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"

/** The last name of a path; where a download cache has folders called by a commit, MODEL/snapshots/COMMIT, that of the
 * model. */
static void last_name(const char *path, char *name, size_t size) {
    static const char between[] = "/snapshots/";
    const char *cache = strstr(path, between), *commit = cache ? cache + strlen(between) : "/";
    size_t end = strcspn(commit, "/") == strlen(commit) ? (size_t)(cache - path) : strlen(path);
    while (end > 0 && path[end - 1] == '/') {
        end--;
    }
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/') {
        begin--;
    }
    snprintf(name, size, "%.*s", (int)(end - begin < size ? end - begin : size - 1), path + begin);
}

/** The preset that a name suggests, with the words for it. */
static const pld_preset *from_name(const pld_model *model, const char *path, char *text, size_t size) {
    char name[256];
    last_name(path, name, sizeof name);
    const pld_preset *preset = pld_preset_suggested(name, model->family->name);
    if (preset) {
        snprintf(text, size, "the name %.120s", name);
    }
    return preset;
}

static const pld_preset *from_loras(const pld_model *model, char *text, size_t size) {
    for (size_t i = 0; i < model->lora_count; i++) {
        const pld_applied_lora *lora = model->public_loras[i];
        const pld_preset *preset = lora->weight > 0 ? from_name(model, lora->path, text, size) : NULL;
        if (preset) {
            return preset;
        }
    }
    return NULL;
}

/** A folder's scheduler that only a distilled model has: of a class made for them, trailing with ε where the family's own
 * is not, or without the shift that the family's own has, or with another. */
static const pld_preset *from_scheduler(const pld_model *model, char *text, size_t size) {
    const pld_scheduler_config *stated = &model->scheduler;
    const bool trailing =
        stated->stated & PLD_FIELD_BIT(TIMESTEP_SPACING) && stated->timestep_spacing == PLD_SPACING_TRAILING;
    const bool epsilon =
        !(stated->stated & PLD_FIELD_BIT(PREDICTION_TYPE)) || stated->prediction_type == PLD_PREDICT_EPSILON;
    for (const pld_preset *const *row = pld_presets(); *row; row++) {
        const pld_preset *p = *row;
        if (p->scheduler_class && strcmp(p->scheduler_class, stated->class_name) == 0 &&
            (!p->spacing || (trailing && epsilon && !stated->rescale_betas_zero_snr)) &&
            (!p->family || strcmp(p->family, model->family->name) == 0) &&
            (!p->unshifted || !stated->use_dynamic_shifting) &&
            (p->shift == 0 || (!stated->use_dynamic_shifting && stated->shift == p->shift))) {
            char shift[40];
            pld_print_text(shift, sizeof shift, " with a shift of %g", p->shift);
            snprintf(text, size, "the scheduler %.40s%s", stated->class_name,
                     p->spacing      ? " with trailing steps"
                     : p->unshifted  ? " without a shift"
                     : p->shift != 0 ? shift
                                     : "");
            return p;
        }
    }
    return NULL;
}

/** The document of a pipeline that calls its model distilled. */
static const pld_preset *from_index(const pld_model *model, char *text, size_t size) {
    for (const pld_preset *const *row = pld_presets(); model->distilled && *row; row++) {
        if ((*row)->distilled && strcmp((*row)->family, model->family->name) == 0) {
            snprintf(text, size, "%s, in which is_distilled is true", model->source.index);
            return *row;
        }
    }
    return NULL;
}

static const pld_preset *from_metadata(const pld_model *model, char *text, size_t size) {
    static const char *const keys[] = {"modelspec.title", "ss_output_name"};
    const pld_weight_files *files = pld_parameters_files(pld_denoiser_of(model)->parameters);
    for (size_t i = 0; i < sizeof keys / sizeof *keys && pld_weight_files_file_count(files); i++) {
        const char *value = pld_tensor_file_metadata_find(pld_weight_files_file(files, 0), keys[i]);
        const pld_preset *preset = value ? pld_preset_suggested(value, model->family->name) : NULL;
        if (preset) {
            snprintf(text, size, "the file's metadata (%s: %.80s)", keys[i], value);
            return preset;
        }
    }
    return NULL;
}

/** The name that was given for the model, and that of the denoiser's file. */
static const pld_preset *from_files(const pld_model *model, char *text, size_t size) {
    const pld_weight_files *files = pld_parameters_files(pld_denoiser_of(model)->parameters);
    const pld_preset *preset = from_name(model, model->source.path, text, size);
    return preset || pld_weight_files_file_count(files) == 0
               ? preset
               : from_name(model, pld_weight_files_path(files, 0), text, size);
}

const pld_preset *pld_model_preset(const pld_model *model, char *text, size_t size) {
    static const pld_preset *(*const places[])(const pld_model *, char *, size_t) = {
        from_loras, from_scheduler, from_index, from_metadata, from_files};
    text[0] = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const pld_preset *preset = places[i](model, text, size);
        if (preset) {
            return preset;
        }
    }
    return NULL;
}

void pld_preset_fill(const pld_preset *preset, pld_generate_options *options) {
    const bool own_sampler =
        !options->sampling_method || strcmp(options->sampling_method, preset->sampling_method) == 0;
    options->sampling_method = own_sampler ? preset->sampling_method : options->sampling_method;
    const pld_sampler_kind *kind = pld_sampler_kind_find(options->sampling_method);
    if (!options->spacing && kind && kind->fields & PLD_FIELD_BIT(TIMESTEP_SPACING)) {
        options->spacing = preset->spacing;
    }
    if (!options->prediction) {
        options->prediction = preset->prediction;
    }
    if (isnan(options->shift) && preset->shift != 0) {
        options->shift = preset->shift;
    }
    if (isnan(options->eta) && own_sampler) {
        options->eta = preset->eta;
    }
    if (!options->width && !options->height) {
        options->width = preset->size;
        options->height = preset->size;
    }
    if (options->timestep_count) {
        return;
    }
    const bool own_steps = !options->steps || options->steps == preset->steps;
    if (own_steps && preset->timesteps && kind && kind->accepts_timesteps && !options->scheduler) {
        options->timesteps = preset->timesteps;
        options->timestep_count = preset->timestep_count;
    }
    options->steps = options->steps ? options->steps : preset->steps;
}
