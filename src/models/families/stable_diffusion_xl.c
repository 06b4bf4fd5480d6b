/* SPDX-License-Identifier: Apache-2.0 */
/* Stable Diffusion XL. */
#include "models/families/part_rows.h"

static const pld_pipeline_class pipelines[] = {{"StableDiffusionXLPipeline", 0},
                                               {"StableDiffusionXLImg2ImgPipeline", 0},
                                               {"StableDiffusionXLPAGPipeline", 0},
                                               {"StableDiffusionXLPAGImg2ImgPipeline", 0},
                                               {0}};

static const pld_family_part parts[] = {
    PLD_PART_CLIP("text_encoder", pld_class_clip_text, "tokenizer", "<|endoftext|>", "text encoder",
                  PLD_GIVE_CHECKPOINT),
    PLD_PART_CLIP("text_encoder_2", pld_class_clip_text_projection, "tokenizer_2", "!", "second text encoder",
                  PLD_GIVE_CHECKPOINT),
    PLD_PART_UNET,
    PLD_PART_KL(pld_class_kl),
    {0},
};

/** The states in front of the last layer, without the final norm. */
static const pld_text_use texts[] = {{.part = "text_encoder",
                                      .style = &pld_prompt_style_chunks,
                                      .clip_skip = true,
                                      .skip = 1,
                                      .final_norm = false,
                                      .pooled = false},
                                     {.part = "text_encoder_2",
                                      .style = &pld_prompt_style_chunks,
                                      .clip_skip = true,
                                      .skip = 1,
                                      .final_norm = false,
                                      .pooled = true}};

static const char euler[] =
    "{\"_class_name\": \"EulerDiscreteScheduler\", \"beta_end\": 0.012, \"beta_schedule\": "
    "\"scaled_linear\", \"beta_start\": 0.00085, \"interpolation_type\": \"linear\", "
    "\"num_train_timesteps\": 1000, \"steps_offset\": 1, \"timestep_spacing\": \"leading\", "
    "\"use_karras_sigmas\": false}";

static const pld_published_part sdxl_parts[] = {
    {"text_encoder", "CLIPTextModel", "conditioner.embedders.0.transformer.", .pad_token = "<|endoftext|>"},
    {"text_encoder_2", "CLIPTextModelWithProjection", "conditioner.embedders.1.model.", .pad_token = "!"},
    {"unet", "UNet2DConditionModel", "model.diffusion_model.", .states = "{\"sample_size\": 128}"},
    {"vae", "AutoencoderKL", "first_stage_model.",
     .states = "{\"scaling_factor\": 0.13025, \"sample_size\": 1024}"},
    {0},
};

static const pld_published sdxl = {
    .name = "sdxl",
    .title = "Stable Diffusion XL",
    .pipeline = "StableDiffusionXLPipeline",
    .index = "{\"force_zeros_for_empty_prompt\": true}",
    .scheduler = euler,
    .parts = sdxl_parts,
    .marks_v = true,
};

static const pld_published *const published[] = {&sdxl, NULL};

const pld_family pld_family_stable_diffusion_xl = {
    .name = "stable-diffusion-xl",
    .description = "Stable Diffusion XL: two CLIP text encoders, cross-attention U-Net conditioned on "
                   "picture sizes, KL autoencoder",
    .pipelines = pipelines,
    .parts = parts,
    .texts = texts,
    .text_count = 2,
    .published = published,
    .architecture = "sdxl",
    .zero_negative = true,
    .sample_size = 128,
    .default_steps = 30,
    .default_cfg_scale = 5,
    .default_pladis_scale = 2,
};
