/* SPDX-License-Identifier: Apache-2.0 */
/** What a model is, and what the registries hold. */
#include <stdio.h>
#include <string.h>

#include "core/sized.h"
#include "pipeline/generate/preset.h"
#include "pipeline/model/model.h"
#include "sampling/guidance.h"
#include "sampling/sampler.h"

/** What a model's network predicts, as its scheduler's configuration tells; `*reason` is for people. */
static pld_prediction prediction_of(const pld_scheduler_config *scheduler, const char **reason) {
    if (scheduler->stated & PLD_FIELD_BIT(PREDICTION_TYPE)) {
        *reason = "stated in scheduler_config.json";
        return scheduler->prediction_type;
    }
    if (pld_scheduler_states_flow(scheduler)) {
        *reason = "the class in scheduler_config.json is one of flow models";
        return PLD_PREDICT_FLOW;
    }
    *reason = "not stated in scheduler_config.json: diffusers' default";
    return PLD_PREDICT_EPSILON;
}

/** diffusers' words for what the network predicts. */
const char *pld_prediction_text(pld_prediction prediction) {
    switch (prediction) {
    case PLD_PREDICT_EPSILON:
        return "epsilon";
    case PLD_PREDICT_V:
        return "v_prediction";
    case PLD_PREDICT_SAMPLE:
        return "sample";
    case PLD_PREDICT_TRIGFLOW:
        return "trigflow";
    case PLD_PREDICT_FLOW:
        break;
    }
    return "flow";
}

pld_status pld_model_get_info(const pld_model *model, pld_model_info *to, pld_error *error) {
    PLD_TRY(pld_sized_check("pld_model_info", to, error));
    const char *reason = NULL;
    const pld_prediction prediction = prediction_of(&model->scheduler, &reason);
    const pld_told_prediction *told = &model->source.prediction;
    const int side = (int)(model->denoiser_facts.sample_size * model->autoencoder_facts.factor);
    pld_model_info info = {
        .path = model->source.path,
        .layout = model->source.layout,
        .family = model->family->name,
        .prediction_type = pld_prediction_text(prediction),
        .prediction_reason = told->type ? told->reason : reason,
        .scheduler = model->sampler->name,
        .default_width = side,
        .default_height = side,
        .default_steps = (int)model->default_steps,
        .default_cfg_scale = model->default_cfg_scale,
        .default_preset = "",
        .default_pladis_scale = model->default_pladis_scale,
        .size_factor = (int)pld_model_size_factor(model),
        .latent_channels = (int)model->autoencoder_facts.channels,
        .positions = (int)pld_prompt_frame_of(model, 0, 0).positions,
        .parts = model->public_parts,
        .part_count = (size_t)model->public_part_count,
        .sites = model->public_sites,
        .site_count = model->site_count,
        .loras = model->public_loras,
        .lora_count = model->lora_count,
    };
    if (model->known_words) {
        info.trained_words = pld_known_words_list(model->known_words, &info.trained_word_count);
    }
    char why[256];
    const pld_preset *preset = pld_model_preset(model, why, sizeof why);
    if (preset) {
        info.default_preset = preset->name;
        info.scheduler = preset->sampling_method;
        info.default_steps = preset->steps;
        info.default_cfg_scale = preset->cfg_scale;
        info.default_width = preset->size ? preset->size : info.default_width;
        info.default_height = preset->size ? preset->size : info.default_height;
    }
    pld_sized_write(to, &info, sizeof info);
    return PLD_OK;
}

static bool list_isa(size_t index, const char **name, const char **description) {
    if (index >= PLD_ISA_COUNT) {
        return false;
    }
    *name = pld_isa_name((pld_isa)index);
    *description = pld_isa_supported((pld_isa)index) ? "this CPU has it" : "this CPU lacks it";
    return true;
}

/** One row of a NULL-terminated registry of structs that begin with name and description. */
#define LIST_ROW(registry)                                                                                   \
    do {                                                                                                     \
        for (size_t row = 0;; row++) {                                                                       \
            if (!(registry)[row]) {                                                                          \
                return false;                                                                                \
            }                                                                                                \
            if (row == index) {                                                                              \
                *name = (registry)[row]->name;                                                               \
                *description = (registry)[row]->description;                                                 \
                return true;                                                                                 \
            }                                                                                                \
        }                                                                                                    \
    } while (0)

bool pld_list(pld_list_kind kind, size_t index, const char **name, const char **description) {
    switch (kind) {
    case PLD_LIST_SAMPLERS:
        LIST_ROW(pld_sampler_kinds());
    case PLD_LIST_SCHEDULERS:
        LIST_ROW(pld_sigma_schedules());
    case PLD_LIST_SPACINGS:
        LIST_ROW(pld_spacings());
    case PLD_LIST_GUIDANCE:
        LIST_ROW(pld_guidance_methods);
    case PLD_LIST_VARIANTS:
        LIST_ROW(pld_attention_variants);
    case PLD_LIST_FAMILIES:
        LIST_ROW(pld_families);
    case PLD_LIST_PRESETS:
        LIST_ROW(pld_presets());
    case PLD_LIST_ISA:
        return list_isa(index, name, description);
    }
    return false;
}
