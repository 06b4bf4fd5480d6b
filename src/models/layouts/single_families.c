/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "models/layouts/describe.h"

/* The schedules of the published folders; prediction type and zero signal are added. */
static const char pndm[] =
    "{\"_class_name\": \"PNDMScheduler\", \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\", "
    "\"beta_start\": 0.00085, \"clip_sample\": false, \"num_train_timesteps\": 1000, \"set_alpha_to_one\": "
    "false, \"skip_prk_steps\": true, \"steps_offset\": 1}";
static const char ddim[] =
    "{\"_class_name\": \"DDIMScheduler\", \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\", "
    "\"beta_start\": 0.00085, \"clip_sample\": false, \"num_train_timesteps\": 1000, \"set_alpha_to_one\": "
    "false, \"steps_offset\": 1}";
static const char euler[] =
    "{\"_class_name\": \"EulerDiscreteScheduler\", \"beta_end\": 0.012, \"beta_schedule\": "
    "\"scaled_linear\", \"beta_start\": 0.00085, \"interpolation_type\": \"linear\", "
    "\"num_train_timesteps\": 1000, \"steps_offset\": 1, \"timestep_spacing\": \"leading\", "
    "\"use_karras_sigmas\": false}";

static const pld_single_family sd1 = {
    .name = "sd1",
    .title = "Stable Diffusion 1",
    .pipeline = "StableDiffusionPipeline",
    .heads = 8,
    .sample_size = 64,
    .sample_size_v = 64,
    .scaling_factor = 0.18215,
    .scheduler = pndm,
    .tokenizers = {"tokenizer"},
    .pad_tokens = {"<|endoftext|>"},
    .text_encoder_kinds = {"CLIPTextModel"},
};

static const pld_single_family sd2 = {
    .name = "sd2",
    .title = "Stable Diffusion 2",
    .pipeline = "StableDiffusionPipeline",
    .sample_size = 64,
    .sample_size_v = 96,
    .scaling_factor = 0.18215,
    .drops_last_block = true,
    .scheduler = ddim,
    .tokenizers = {"tokenizer"},
    .pad_tokens = {"!"},
    .text_encoder_kinds = {"CLIPTextModel"},
};

static const pld_single_family sdxl = {
    .name = "sdxl",
    .title = "Stable Diffusion XL",
    .pipeline = "StableDiffusionXLPipeline",
    .sample_size = 128,
    .sample_size_v = 128,
    .scaling_factor = 0.13025,
    .marks_v = true,
    .scheduler = euler,
    .tokenizers = {"tokenizer", "tokenizer_2"},
    .pad_tokens = {"<|endoftext|>", "!"},
    .text_encoder_kinds = {"CLIPTextModel", "CLIPTextModelWithProjection"},
};

const pld_single_family *const pld_single_families[] = {&sd1, &sd2, &sdxl, NULL};

pld_status pld_single_family_find(const pld_weight_files *unet, const pld_single_family **family,
                                  pld_error *error) {
    static const char *const attentions[] = {"down_blocks.0.attentions.0", "down_blocks.1.attentions.0",
                                             "down_blocks.2.attentions.0"};
    enum { CONTEXT_REFINER = 1280, CONTEXT_UNCLIP = 1024 };
    int64_t context = 0;
    int64_t linear = 0;
    for (int i = 0; i < 3 && !context; i++) {
        pld_weight weight;
        char name[96];
        snprintf(name, sizeof name, "%s.proj_in.weight", attentions[i]);
        context = pld_shape_of(unet, 1, "%s.transformer_blocks.0.attn2.to_k.weight", attentions[i]);
        linear = pld_weight_files_find(unet, name, &weight) && weight.tensor->rank == 2;
    }
    if (!context) {
        return pld_describe_missing(unet, "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight",
                                    error);
    }
    const bool embeds_more = pld_shape_of(unet, 0, "add_embedding.linear_1.weight") > 0;
    if (embeds_more && (context == CONTEXT_REFINER || context == CONTEXT_UNCLIP)) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: found %s; expected Stable Diffusion 1, 2 or XL (the base model)",
                        pld_weight_files_path(unet, 0),
                        context == CONTEXT_REFINER ? "the refiner of Stable Diffusion XL"
                                                   : "a Stable Diffusion 2 unCLIP network");
    }
    *family = embeds_more ? &sdxl : (linear || context == 1024) ? &sd2 : &sd1;
    return PLD_OK;
}
