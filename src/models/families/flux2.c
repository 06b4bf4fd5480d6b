/* SPDX-License-Identifier: Apache-2.0 */
/* FLUX.2 klein (4B, 9B, and those that were not distilled, called base) and dev, by Black Forest Labs. Steps and CFG are those
 * of klein base's card; the distilled ones' are their preset's, dev's its card's. Nobody has measured PLADIS on them; λ is the
 * paper's. Qwen3 reads klein's prompt filled up to 512 tokens; padding attends to the prompt alone, and is text to the
 * transformer like the prompt itself. dev's text encoder, Mistral, is not here. */
#include "models/families/part_rows.h"

#define TRANSFORMER PLD_PART_TRANSFORMER(pld_class_flux2, PLD_GIVE_FILE_OF("FLUX.2"))
#define AUTOENCODER PLD_PART_KL(pld_class_kl_flux2)

static const pld_pipeline_class klein_pipelines[] = {
    {"Flux2KleinPipeline", 512}, {"Flux2KleinInpaintPipeline", 512}, {0}};

static const pld_family_part klein_parts[] = {
    PLD_PART_QWEN3("text encoder (Qwen3)"),
    TRANSFORMER,
    AUTOENCODER,
    {0},
};

/** Qwen3's chat template for one turn of a user, with the thinking left empty. */
static const pld_text_use klein_texts[] = {
    {.part = "text_encoder",
     .style = &pld_prompt_style_filled,
     .before = "<|im_start|>user\n",
     .after = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
     .states_after = {9, 18, 27},
     .state_count = 3,
     .padding_unseen = true}};

static const char schedule[] =
    "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", \"base_image_seq_len\": 256, \"base_shift\": "
    "0.5, "
    "\"max_image_seq_len\": 4096, \"max_shift\": 1.15, \"num_train_timesteps\": 1000, \"shift\": 3.0, "
    "\"use_dynamic_shifting\": true}";

#define TRANSFORMER_STATES "{\"axes_dims_rope\": [32, 32, 32, 32], \"rope_theta\": 2000, \"eps\": 1e-6}"

/** ComfyUI's names in a file of a whole model; most people have a file of each part. */
static const pld_published_part klein_published_parts[] = {
    {"text_encoder", "Qwen3ForCausalLM", "text_encoders.qwen3_4b.transformer.model.",
     .pad_token = "<|endoftext|>"},
    {"transformer", "Flux2Transformer2DModel", "model.diffusion_model.", .states = TRANSFORMER_STATES},
    {"vae", "AutoencoderKLFlux2", "vae.", .states = "{\"sample_size\": 1024}"},
    {0},
};

static const pld_published klein = {.name = "flux2-klein",
                                    .title = "FLUX.2 klein",
                                    .pipeline = "Flux2KleinPipeline",
                                    .index = "{\"is_distilled\": true}",
                                    .scheduler = schedule,
                                    .parts = klein_published_parts};
static const pld_published klein_base = {.name = "flux2-klein-base",
                                         .title = "FLUX.2 klein base",
                                         .pipeline = "Flux2KleinPipeline",
                                         .index = "{\"is_distilled\": false}",
                                         .scheduler = schedule,
                                         .parts = klein_published_parts};
static const pld_published *const klein_published[] = {&klein, &klein_base, NULL};

const pld_family pld_family_flux2 = {
    .name = "flux2",
    .description = "FLUX.2 klein: Qwen3 text encoder, transformer with joint attention, KL autoencoder with "
                   "statistics",
    .pipelines = klein_pipelines,
    .parts = klein_parts,
    .texts = klein_texts,
    .text_count = 1,
    .published = klein_published,
    .architecture = "flux",
    .sample_size = 64,
    .default_steps = 50,
    .default_cfg_scale = 4,
    .default_pladis_scale = 2,
    .flow_rule = "flux2",
};

/* ---- dev */

static const pld_pipeline_class dev_pipelines[] = {{"Flux2Pipeline", 512}, {0}};
static const pld_family_part dev_parts[] = {TRANSFORMER, AUTOENCODER, {0}};
/** Mistral, whose states 10, 20 and 30 stand beside each other, after a message of the system. */
static const char *const dev_left_out[] = {"text_encoder", "tokenizer", NULL};

static const pld_published_part dev_published_parts[] = {
    {"transformer", "Flux2Transformer2DModel", "model.diffusion_model.", .states = TRANSFORMER_STATES},
    {"vae", "AutoencoderKLFlux2", "vae.", .states = "{\"sample_size\": 1024}"},
    {0},
};
static const pld_published dev = {.name = "flux2-dev",
                                  .title = "FLUX.2 dev",
                                  .pipeline = "Flux2Pipeline",
                                  .scheduler = schedule,
                                  .parts = dev_published_parts};
static const pld_published *const dev_published[] = {&dev, NULL};

const pld_family pld_family_flux2_dev = {
    .name = "flux2-dev",
    .description =
        "FLUX.2 dev: the same without a text encoder, whose states come from a file (--prompt-embeds)",
    .pipelines = dev_pipelines,
    .parts = dev_parts,
    .left_out = dev_left_out,
    .published = dev_published,
    .architecture = "flux",
    .sample_size = 64,
    .default_steps = 50,
    .default_cfg_scale = 1,
    .default_pladis_scale = 2,
    .flow_rule = "flux2",
};
