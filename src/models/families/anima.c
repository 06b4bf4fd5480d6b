/* SPDX-License-Identifier: Apache-2.0 */
/* Anima, by CircleStone Labs and Comfy Org: a Cosmos-Predict2 transformer that attends to what a conditioner makes of Qwen3's
 * states and of T5's tokens. Steps and CFG are the middle of what its card recommends, 30 to 50 and 4 to 5. Nobody has
 * measured PLADIS on it; λ is the paper's. */
#include "models/families/part_rows.h"

static const pld_pipeline_class pipelines[] = {{"AnimaModularPipeline", 512}, {"AnimaAutoBlocks", 512}, {0}};

static const pld_family_part parts[] = {
    PLD_PART_QWEN3("text encoder (Qwen3-0.6B)"),
    {.name = "text_conditioner",
     .class = &pld_class_anima_conditioner,
     .stem = "diffusion_pytorch_model",
     .tokenizer = "t5_tokenizer",
     .tokenizer_class = "T5Tokenizer",
     .vocabulary = &pld_installed_t5,
     .what = "text conditioner (llm_adapter)",
     .remedy = "a file of Anima with -m, whose transformer has one"},
    PLD_PART_TRANSFORMER(pld_class_cosmos, PLD_GIVE_FILE_OF("Anima")),
    PLD_PART_KL(pld_class_qwen_vae),
    {0},
};

static const pld_text_use texts[] = {
    {.part = "text_encoder", .style = &pld_prompt_style_whole, .final_norm = true}};

static const pld_conditioner_use conditioner = {.part = "text_conditioner", .style = &pld_prompt_style_whole};

static const char flow[] =
    "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", \"num_train_timesteps\": 1000, \"shift\": 3.0, "
    "\"use_dynamic_shifting\": false}";

/** Its authors' three files; no single file holds them all. */
static const pld_published_part anima_parts[] = {
    {"text_encoder", "Qwen3Model", .pad_token = "<|endoftext|>"},
    {"text_conditioner", "AnimaTextConditioner", .prefix = "net.llm_adapter."},
    {"transformer", "CosmosTransformer3DModel", .prefix = "net."},
    {.part = "vae", .class_name = "AutoencoderKLQwenImage"},
    {0},
};

static const pld_published anima = {
    .name = "anima",
    .title = "Anima",
    .pipeline = "AnimaModularPipeline",
    .index = "{\"_blocks_class_name\": \"AnimaAutoBlocks\"}",
    .scheduler = flow,
    .parts = anima_parts,
};

static const pld_published *const published[] = {&anima, NULL};

const pld_family pld_family_anima = {
    .name = "anima",
    .description = "Anima: Qwen3 text encoder, conditioner over T5's tokens, transformer with "
                   "cross-attention, Qwen-Image autoencoder",
    .pipelines = pipelines,
    .parts = parts,
    .texts = texts,
    .text_count = 1,
    .conditioner = &conditioner,
    .modular = true,
    .published = published,
    .architecture = "cosmos",
    .sample_size = 128,
    .default_steps = 40,
    .default_cfg_scale = 4.5,
    .default_pladis_scale = 2,
    .flow_rule = "fractions",
};
