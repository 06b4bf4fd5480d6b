/* SPDX-License-Identifier: Apache-2.0 */
/* Stable Diffusion 1 and 2. */
#include "models/families/part_rows.h"

static const pld_pipeline_class pipelines[] = {{"StableDiffusionPipeline", 0},
                                               {"StableDiffusionImg2ImgPipeline", 0},
                                               {"StableDiffusionPAGPipeline", 0},
                                               {"StableDiffusionPAGImg2ImgPipeline", 0},
                                               {0}};

static const pld_family_part parts[] = {
    PLD_PART_CLIP("text_encoder", pld_class_clip_text, "tokenizer", "<|endoftext|>", "text encoder",
                  PLD_GIVE_CHECKPOINT),
    PLD_PART_UNET,
    PLD_PART_KL(pld_class_kl),
    {0},
};

static const pld_text_use texts[] = {{.part = "text_encoder",
                                      .style = &pld_prompt_style_chunks,
                                      .clip_skip = true,
                                      .skip = 0,
                                      .final_norm = true,
                                      .pooled = false}};

/* The schedules of the published folders; prediction type and zero signal are added. */
static const char pndm[] =
    "{\"_class_name\": \"PNDMScheduler\", \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\", "
    "\"beta_start\": 0.00085, \"clip_sample\": false, \"num_train_timesteps\": 1000, \"set_alpha_to_one\": "
    "false, \"skip_prk_steps\": true, \"steps_offset\": 1}";
static const char ddim[] =
    "{\"_class_name\": \"DDIMScheduler\", \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\", "
    "\"beta_start\": 0.00085, \"clip_sample\": false, \"num_train_timesteps\": 1000, \"set_alpha_to_one\": "
    "false, \"steps_offset\": 1}";
static const char index_fields[] = "{\"safety_checker\": [null, null], \"feature_extractor\": [null, null], "
                                   "\"requires_safety_checker\": false}";

static const pld_published_part sd1_parts[] = {
    {"text_encoder", "CLIPTextModel", "cond_stage_model.transformer.", .pad_token = "<|endoftext|>"},
    {"unet", "UNet2DConditionModel", "model.diffusion_model.",
     .states = "{\"attention_head_dim\": 8, \"sample_size\": 64}"},
    {"vae", "AutoencoderKL", "first_stage_model.",
     .states = "{\"scaling_factor\": 0.18215, \"sample_size\": 512}"},
    {0},
};

static const pld_published sd1 = {
    .name = "sd1",
    .title = "Stable Diffusion 1",
    .pipeline = "StableDiffusionPipeline",
    .index = index_fields,
    .scheduler = pndm,
    .parts = sd1_parts,
};

static const pld_published_part sd2_parts[] = {
    {"text_encoder", "CLIPTextModel", "cond_stage_model.model.", .pad_token = "!", .unused_layers = 1},
    {"unet", "UNet2DConditionModel", "model.diffusion_model.", .states = "{\"sample_size\": 64}",
     .states_v = "{\"sample_size\": 96}"},
    {"vae", "AutoencoderKL", "first_stage_model.",
     .states = "{\"scaling_factor\": 0.18215, \"sample_size\": 512}"},
    {0},
};

static const pld_published sd2 = {
    .name = "sd2",
    .title = "Stable Diffusion 2",
    .pipeline = "StableDiffusionPipeline",
    .index = index_fields,
    .scheduler = ddim,
    .parts = sd2_parts,
};

static const pld_published *const published[] = {&sd1, &sd2, NULL};

const pld_family pld_family_stable_diffusion = {
    .name = "stable-diffusion",
    .description = "Stable Diffusion 1.x and 2.x: CLIP text encoder, cross-attention U-Net, KL autoencoder",
    .pipelines = pipelines,
    .parts = parts,
    .texts = texts,
    .text_count = 1,
    .published = published,
    .architecture = "sd1",
    .sample_size = 64,
    .default_steps = 25,
    .default_cfg_scale = 7.5,
    .default_pladis_scale = 2,
    .stable_diffusion_rules = true,
};
