/* SPDX-License-Identifier: Apache-2.0 */
/* Z-Image and Z-Image-Turbo, by Tongyi-MAI. Steps and CFG are those of Z-Image's card, whose guidance scale of 4 is one of 5 here,
 * since its pipeline counts c + g·(c − u); Turbo's are its preset's, and its levels are shifted less. Nobody has measured PLADIS on it; λ is the paper's. */
#include "models/families/part_rows.h"

static const pld_pipeline_class pipelines[] = {
    {"ZImagePipeline", 512}, {"ZImageImg2ImgPipeline", 512}, {"ZImageInpaintPipeline", 512}, {0}};

static const pld_family_part parts[] = {
    PLD_PART_QWEN3("text encoder (Qwen3-4B)"),
    PLD_PART_TRANSFORMER(pld_class_zimage, PLD_GIVE_FILE_OF("Z-Image")),
    PLD_PART_KL(pld_class_kl),
    {0},
};

/** The chat template for one turn of a user, in which the model may think: no block of thoughts is closed. The states in front of
 * the last layer are used. */
static const pld_text_use texts[] = {{.part = "text_encoder",
                                      .style = &pld_prompt_style_whole,
                                      .before = "<|im_start|>user\n",
                                      .after = "<|im_end|>\n<|im_start|>assistant\n",
                                      .skip = 1}};

#define SCHEDULE(shift)                                                                                      \
    "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", \"num_train_timesteps\": 1000, "                 \
    "\"shift\": " shift ", \"use_dynamic_shifting\": false}"

/** ComfyUI's files, of which each holds one part, and those of a whole model. */
static const pld_published_part published_parts[] = {
    {"text_encoder", "Qwen3Model", "text_encoders.qwen3_4b.transformer.model.", .pad_token = "<|endoftext|>"},
    {"transformer", "ZImageTransformer2DModel", "model.diffusion_model.",
     .states = "{\"axes_dims\": [32, 48, 48]}"},
    {"vae", "AutoencoderKL", "vae.",
     .states = "{\"scaling_factor\": 0.3611, \"shift_factor\": 0.1159, \"sample_size\": 1024}"},
    {0},
};

static const pld_published z_image = {.name = "z-image",
                                      .title = "Z-Image",
                                      .pipeline = "ZImagePipeline",
                                      .scheduler = SCHEDULE("6.0"),
                                      .parts = published_parts};
static const pld_published turbo = {.name = "z-image-turbo",
                                    .title = "Z-Image-Turbo",
                                    .pipeline = "ZImagePipeline",
                                    .scheduler = SCHEDULE("3.0"),
                                    .parts = published_parts};

static const pld_published *const published[] = {&z_image, &turbo, NULL};

const pld_family pld_family_zimage = {
    .name = "z-image",
    .description =
        "Z-Image and Z-Image-Turbo: Qwen3 text encoder, transformer with joint attention, KL autoencoder",
    .pipelines = pipelines,
    .parts = parts,
    .texts = texts,
    .text_count = 1,
    .published = published,
    .architecture = "lumina2",
    .sample_size = 128,
    .default_steps = 50,
    .default_cfg_scale = 5,
    .default_pladis_scale = 2,
    .flow_rule = "z_image",
};
