/* SPDX-License-Identifier: Apache-2.0 */
/* Stable Diffusion 3 and 3.5, by Stability AI. Steps and CFG scale are those of 3.5 large's and medium's cards, λ is the
 * paper's. The states of both CLIPs stand beside each other, filled up with zeros to the width of T5's, whose tokens follow
 * them; there is no mask, so all of them are text. T5 is the largest of the encoders and may be left out: its tokens are
 * zeros then. Prompts are taken literally, as diffusers does: T5 would read the marks of weights as text. */
#include "models/families/part_rows.h"

static const pld_pipeline_class pipelines[] = {
    {"StableDiffusion3Pipeline", 256},           {"StableDiffusion3Img2ImgPipeline", 256},
    {"StableDiffusion3InpaintPipeline", 256},    {"StableDiffusion3PAGPipeline", 256},
    {"StableDiffusion3PAGImg2ImgPipeline", 256}, {0}};

static const pld_family_part parts[] = {
    PLD_PART_CLIP("text_encoder", pld_class_clip_text_projection, "tokenizer", "<|endoftext|>",
                  "text encoder (CLIP-L)", PLD_GIVE_TEXT_ENCODER),
    PLD_PART_CLIP("text_encoder_2", pld_class_clip_text_projection, "tokenizer_2", "!",
                  "second text encoder (CLIP-G)", "one with --text-encoder-2 FILE"),
    PLD_PART_T5("text_encoder_3", "tokenizer_3", true, "third text encoder (T5)",
                "one with --text-encoder-3 FILE"),
    PLD_PART_TRANSFORMER(pld_class_sd3, PLD_GIVE_FILE_OF("Stable Diffusion 3.5")),
    PLD_PART_KL(pld_class_kl),
    {0},
};

/** The states in front of CLIP's last layers, without the final norm. */
#define CLIP_TEXT(part_, plain_)                                                                             \
    {                                                                                                        \
        .part = (part_), .style = &pld_prompt_style_literal, .clip_skip = true, .skip = 1, .pooled = true,   \
        .plain_pooled = (plain_)                                                                             \
    }
static const pld_text_use texts[] = {
    CLIP_TEXT("text_encoder", true), /* ComfyUI's files have no projection of CLIP-L, and mean none */
    CLIP_TEXT("text_encoder_2", false),
    {.part = "text_encoder_3", .style = &pld_prompt_style_filled, .final_norm = true, .behind = true}};

static const char schedule[] =
    "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", \"num_train_timesteps\": 1000, \"shift\": 3.0}";

/** Where Stability AI's files, and ComfyUI's with the text encoders inside, have them. */
static const pld_published_part published_parts[] = {
    {"text_encoder", "CLIPTextModelWithProjection", "text_encoders.clip_l.transformer.",
     .pad_token = "<|endoftext|>"},
    {"text_encoder_2", "CLIPTextModelWithProjection", "text_encoders.clip_g.transformer.",
     .states = "{\"hidden_act\": \"gelu\"}", .pad_token = "!"},
    {"text_encoder_3", "T5EncoderModel", "text_encoders.t5xxl.transformer.", .pad_token = "<pad>"},
    {"transformer", "SD3Transformer2DModel", "model.diffusion_model.", .states = "{\"sample_size\": 128}"},
    {"vae", "AutoencoderKL", "first_stage_model.",
     .states = "{\"scaling_factor\": 1.5305, \"shift_factor\": 0.0609, \"sample_size\": 1024}"},
    {0},
};

#define PUBLISHED(row, name_, title_)                                                                        \
    static const pld_published row = {.name = (name_),                                                       \
                                      .title = (title_),                                                     \
                                      .pipeline = "StableDiffusion3Pipeline",                                \
                                      .scheduler = schedule,                                                 \
                                      .parts = published_parts}
PUBLISHED(medium, "sd3.5-medium", "Stable Diffusion 3.5 medium");
PUBLISHED(large, "sd3.5-large", "Stable Diffusion 3.5 large");
PUBLISHED(first, "sd3-medium", "Stable Diffusion 3 medium");

static const pld_published *const published[] = {&medium, &large, &first, NULL};

const pld_family pld_family_sd3 = {
    .name = "sd3",
    .description = "Stable Diffusion 3 and 3.5: two CLIP text encoders and T5, transformer with joint "
                   "attention, KL autoencoder",
    .pipelines = pipelines,
    .parts = parts,
    .texts = texts,
    .text_count = 3,
    .published = published,
    .architecture = "sd3",
    .sample_size = 128,
    .default_steps = 28,
    .default_cfg_scale = 4.5,
    .default_pladis_scale = 2,
};
