/* SPDX-License-Identifier: Apache-2.0 */
/* FLUX.1 dev (and Krea dev) and schnell, by Black Forest Labs. Steps are those of dev's card; schnell's are its preset's. The
 * authors of PLADIS have it for FLUX.1, too; λ is the paper's. T5 reads the prompt without a mask, so the padding of its text
 * is text; of CLIP the pooled state alone is used. */
#include "models/families/part_rows.h"

static const pld_pipeline_class pipelines[] = {
    {"FluxPipeline", 512}, {"FluxImg2ImgPipeline", 512}, {"FluxInpaintPipeline", 512}, {0}};

static const pld_family_part parts[] = {
    PLD_PART_CLIP("text_encoder", pld_class_clip_text, "tokenizer", "<|endoftext|>", "text encoder (CLIP-L)",
                  PLD_GIVE_TEXT_ENCODER),
    PLD_PART_T5("text_encoder_2", "tokenizer_2", false, "second text encoder (T5)", PLD_GIVE_TEXT_ENCODER),
    PLD_PART_TRANSFORMER(pld_class_flux, PLD_GIVE_FILE_OF("FLUX.1")),
    PLD_PART_KL(pld_class_kl),
    {0},
};

/** The first one's tokens are those that the denoiser attends to. */
static const pld_text_use texts[] = {
    {.part = "text_encoder_2", .style = &pld_prompt_style_filled, .final_norm = true},
    {.part = "text_encoder",
     .style = &pld_prompt_style_chunks,
     .final_norm = true,
     .pooled = true,
     .pooled_only = true}};

/** Of dev; schnell's levels are not shifted, and by no number of tokens. */
#define SCHEDULE(shift, dynamic)                                                                             \
    "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", \"base_image_seq_len\": 256, \"base_shift\": "   \
    "0.5, "                                                                                                  \
    "\"max_image_seq_len\": 4096, \"max_shift\": 1.15, \"num_train_timesteps\": 1000, \"shift\": " shift     \
    ", \"use_dynamic_shifting\": " dynamic "}"

/** Where ComfyUI's files of a whole model have them. */
static const pld_published_part published_parts[] = {
    {"text_encoder", "CLIPTextModel", "text_encoders.clip_l.transformer.", .pad_token = "<|endoftext|>"},
    {"text_encoder_2", "T5EncoderModel", "text_encoders.t5xxl.transformer.", .pad_token = "<pad>"},
    {"transformer", "FluxTransformer2DModel", "model.diffusion_model.",
     .states = "{\"axes_dims_rope\": [16, 56, 56]}"},
    {"vae", "AutoencoderKL", "vae.",
     .states = "{\"scaling_factor\": 0.3611, \"shift_factor\": 0.1159, \"sample_size\": 1024}"},
    {0},
};

static const pld_published dev = {.name = "flux-dev",
                                  .title = "FLUX.1 dev",
                                  .pipeline = "FluxPipeline",
                                  .scheduler = SCHEDULE("3.0", "true"),
                                  .parts = published_parts};
static const pld_published schnell = {.name = "flux-schnell",
                                      .title = "FLUX.1 schnell",
                                      .pipeline = "FluxPipeline",
                                      .scheduler = SCHEDULE("1.0", "false"),
                                      .parts = published_parts};

static const pld_published *const published[] = {&dev, &schnell, NULL};

const pld_family pld_family_flux = {
    .name = "flux",
    .description = "FLUX.1 dev and schnell: CLIP and T5 text encoders, transformer with joint attention, KL "
                   "autoencoder",
    .pipelines = pipelines,
    .parts = parts,
    .texts = texts,
    .text_count = 2,
    .published = published,
    .architecture = "flux",
    .sample_size = 128,
    .default_steps = 28,
    .default_cfg_scale = 1,
    .default_pladis_scale = 2,
    .flow_rule = "flux",
};
