/* SPDX-License-Identifier: Apache-2.0 */
#include "models/families.h"

#include <stddef.h>
#include <string.h>

static const char *const stable_diffusion_pipelines[] = {
    "StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", "StableDiffusionPAGPipeline",
    "StableDiffusionPAGImg2ImgPipeline", NULL};

#define PART_COUNT(parts) ((int)(sizeof(parts) / sizeof *(parts)))

static const pld_family_part stable_diffusion_parts[] = {
    {"text_encoder", "CLIPTextModel", "model", PLD_ROLE_TEXT_ENCODER, "tokenizer", false},
    {"unet", "UNet2DConditionModel", "diffusion_pytorch_model", PLD_ROLE_DENOISER, NULL, false},
    {"vae", "AutoencoderKL", "diffusion_pytorch_model", PLD_ROLE_AUTOENCODER, NULL, false},
};

/** Least-squares fits that the field's previewers share; latents are scaled. */
static const double stable_diffusion_rgb[5][3] = {{0.3512, 0.2297, 0.3227},
                                                  {0.3250, 0.4974, 0.2350},
                                                  {-0.2829, 0.1762, 0.2721},
                                                  {-0.2120, -0.2616, -0.7177},
                                                  {0, 0, 0}};
static const double stable_diffusion_xl_rgb[5][3] = {{0.3651, 0.4232, 0.4341},
                                                     {-0.2533, -0.0042, 0.1068},
                                                     {0.1076, 0.1111, -0.0362},
                                                     {-0.3165, -0.2492, -0.2188},
                                                     {0.1084, -0.0175, -0.0011}};

static const pld_family stable_diffusion = {
    .name = "stable-diffusion",
    .description = "Stable Diffusion 1.x and 2.x: CLIP text encoder, cross-attention U-Net, KL autoencoder",
    .pipelines = stable_diffusion_pipelines,
    .parts = stable_diffusion_parts,
    .part_count = PART_COUNT(stable_diffusion_parts),
    .text_final_norm = true,
    .sample_size = 64,
    .default_steps = 25,
    .default_cfg_scale = 7.5,
    .latent_rgb = stable_diffusion_rgb,
    .stable_diffusion_rules = true,
};

static const char *const stable_diffusion_xl_pipelines[] = {
    "StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline", "StableDiffusionXLPAGPipeline",
    "StableDiffusionXLPAGImg2ImgPipeline", NULL};

static const pld_family_part stable_diffusion_xl_parts[] = {
    {"text_encoder", "CLIPTextModel", "model", PLD_ROLE_TEXT_ENCODER, "tokenizer", false},
    {"text_encoder_2", "CLIPTextModelWithProjection", "model", PLD_ROLE_TEXT_ENCODER, "tokenizer_2", true},
    {"unet", "UNet2DConditionModel", "diffusion_pytorch_model", PLD_ROLE_DENOISER, NULL, false},
    {"vae", "AutoencoderKL", "diffusion_pytorch_model", PLD_ROLE_AUTOENCODER, NULL, false},
};

static const pld_family stable_diffusion_xl = {
    .name = "stable-diffusion-xl",
    .description =
        "Stable Diffusion XL: two CLIP text encoders, cross-attention U-Net told of picture sizes, "
        "KL autoencoder",
    .pipelines = stable_diffusion_xl_pipelines,
    .parts = stable_diffusion_xl_parts,
    .part_count = PART_COUNT(stable_diffusion_xl_parts),
    .text_skip = 1,
    .zero_negative = true,
    .sample_size = 128,
    .default_steps = 30,
    .default_cfg_scale = 5,
    .latent_rgb = stable_diffusion_xl_rgb,
};

const pld_family *const pld_families[] = {&stable_diffusion, &stable_diffusion_xl, NULL};

const pld_family *pld_family_for_pipeline(const char *pipeline) {
    for (const pld_family *const *family = pld_families; *family; family++) {
        for (const char *const *name = (*family)->pipelines; *name; name++) {
            if (strcmp(*name, pipeline) == 0) {
                return *family;
            }
        }
    }
    return NULL;
}
