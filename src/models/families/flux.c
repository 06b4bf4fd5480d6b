/* SPDX-License-Identifier: Apache-2.0 */
/* FLUX.1 dev (and Krea dev) and schnell, by Black Forest Labs. Steps are those of dev's card; schnell's are its preset's. The
 * authors of PLADIS have it for FLUX.1, too; λ is the paper's. T5 reads the prompt without a mask, so the padding of its text
 * is text; of CLIP the pooled state alone is used. */
#include "models/families/rows.h"

static const pld_pipeline_class pipelines[] = {
    {"FluxPipeline", 512}, {"FluxImg2ImgPipeline", 512}, {"FluxInpaintPipeline", 512}, {0}};

static const pld_family_part parts[] = {
    {.name = "text_encoder",
     .class = &pld_class_clip_text,
     .stem = "model",
     .tokenizer = "tokenizer",
     .tokenizer_class = "CLIPTokenizer",
     .vocabulary = &pld_installed_clip,
     .pad_token = "<|endoftext|>",
     .what = "text encoder (CLIP-L)",
     .remedy = "one with --text-encoder FILE"},
    {.name = "text_encoder_2",
     .class = &pld_class_t5,
     .stem = "model",
     .tokenizer = "tokenizer_2",
     .tokenizer_class = "T5Tokenizer",
     .vocabulary = &pld_installed_t5,
     .what = "second text encoder (T5)",
     .remedy = "one with --text-encoder FILE"},
    {.name = "transformer",
     .class = &pld_class_flux,
     .stem = "diffusion_pytorch_model",
     .what = "denoising network (transformer)",
     .remedy = "a file of FLUX.1 with -m, and this file with --vae or --text-encoder"},
    {.name = "vae",
     .class = &pld_class_kl,
     .stem = "diffusion_pytorch_model",
     .what = "autoencoder (VAE)",
     .remedy = PLD_GIVE_AUTOENCODER},
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

static const pld_published *const published[] = {NULL};

const pld_family pld_family_flux = {
    .name = "flux",
    .description = "FLUX.1 dev and schnell: CLIP and T5 text encoders, transformer with joint attention, KL "
                   "autoencoder",
    .pipelines = pipelines,
    .parts = parts,
    .texts = texts,
    .text_count = 2,
    .published = published,
    .sample_size = 128,
    .default_steps = 28,
    .default_cfg_scale = 1,
    .default_pladis_scale = 2,
    .flow_rule = "flux",
};
