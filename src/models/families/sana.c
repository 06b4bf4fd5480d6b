/* SPDX-License-Identifier: Apache-2.0 */
/* SANA and SANA-Sprint. */
#include "models/families/part_rows.h"

static const pld_pipeline_class pipelines[] = {{"SanaPipeline", 300},
                                               {"SanaPAGPipeline", 300},
                                               {"SanaSprintPipeline", 300},
                                               {"SanaSprintImg2ImgPipeline", 300},
                                               {0}};

static const pld_family_part parts[] = {
    {.name = "text_encoder",
     .class = &pld_class_gemma2,
     .stem = "model",
     .tokenizer = "tokenizer",
     .tokenizer_class = "GemmaTokenizer",
     .what = "text encoder"},
    PLD_PART_TRANSFORMER(pld_class_sana, NULL),
    PLD_PART_AUTOENCODER(pld_class_dc, "autoencoder (DC-AE)"),
    {0},
};

static const pld_text_use texts[] = {{.part = "text_encoder",
                                      .style = &pld_prompt_style_whole,
                                      .folded = true,
                                      .instruction = &pld_installed_sana_instruction,
                                      .final_norm = true}};

static const pld_published *const published[] = {NULL};

/* Steps and CFG scale are those of diffusers' pipeline; λ is the paper's for every model. */
const pld_family pld_family_sana = {
    .name = "sana",
    .description = "SANA and SANA-Sprint: Gemma-2 text encoder, transformer with linear self-attention and "
                   "cross-attention, DC-AE autoencoder",
    .pipelines = pipelines,
    .parts = parts,
    .texts = texts,
    .text_count = 1,
    .published = published,
    .sample_size = 32,
    .default_steps = 20,
    .default_cfg_scale = 4.5,
    .default_pladis_scale = 2,
};
