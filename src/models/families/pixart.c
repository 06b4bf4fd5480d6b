/* SPDX-License-Identifier: Apache-2.0 */
/* PixArt-α and PixArt-Σ. */
#include "models/families/part_rows.h"

static const pld_pipeline_class pipelines[] = {
    {"PixArtSigmaPipeline", 300}, {"PixArtAlphaPipeline", 120}, {"PixArtSigmaPAGPipeline", 300}, {0}};

static const pld_family_part parts[] = {
    PLD_PART_T5("text_encoder", "tokenizer", false, "text encoder", NULL),
    PLD_PART_TRANSFORMER(pld_class_pixart, NULL),
    PLD_PART_KL(pld_class_kl),
    {0},
};

static const pld_text_use texts[] = {
    {.part = "text_encoder", .style = &pld_prompt_style_whole, .folded = true, .final_norm = true}};

static const pld_published *const published[] = {NULL};

const pld_family pld_family_pixart = {
    .name = "pixart",
    .description =
        "PixArt-alpha and PixArt-Sigma: T5 text encoder, transformer with cross-attention, KL autoencoder",
    .pipelines = pipelines,
    .parts = parts,
    .texts = texts,
    .text_count = 1,
    .published = published,
    .sample_size = 128,
    .default_steps = 20,
    .default_cfg_scale = 4.5,
    .default_pladis_scale = 2,
};
