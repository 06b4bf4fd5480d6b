/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "models/denoiser.h"
#include "models/families/rows.h"
#include "models/unet/unet.h"

#define LATENT_DIFFUSION "input_blocks.0.0.weight"
#define DIFFUSERS        "down_blocks.0.resnets.0.time_emb_proj.weight"

static const char latent_diffusion[] = "latent diffusion";

static const pld_part_layout layouts[] = {
    {"unet", latent_diffusion, "model.diffusion_model.", pld_unet_names, LATENT_DIFFUSION, NULL, NULL, NULL,
     NULL},
    {"unet", latent_diffusion, "diffusion_model.", pld_unet_names, LATENT_DIFFUSION, NULL, NULL, NULL, NULL},
    {"unet", latent_diffusion, "", pld_unet_names, LATENT_DIFFUSION, NULL, NULL, NULL, NULL},
    {"unet", "diffusers", "unet.", pld_diffusers_unet_names, DIFFUSERS, NULL, NULL, NULL, NULL},
    {"unet", "diffusers", "model.diffusion_model.", pld_diffusers_unet_names, DIFFUSERS, NULL, NULL, NULL,
     NULL},
    {"unet", "diffusers", "", pld_diffusers_unet_names, DIFFUSERS, NULL, NULL, NULL, NULL},
    {0},
};

static const char control_net[] = "a ControlNet, which is not supported";
static const char boxes[] = "a network conditioned on boxes (GLIGEN), which is not supported";
static const char video[] = "the network of Stable Video Diffusion, which is not supported";

static const pld_stranger strangers[] = {
    {"input_hint_block.", control_net},
    {"zero_convs.", control_net},
    {"controlnet_cond_embedding.", control_net},
    {"controlnet_down_blocks.", control_net},
    {"controlnet_mid_block.", control_net},
    {"lora_controlnet", "a Control-LoRA, which is not supported"},
    {"motion_modules.", "a network for videos with AnimateDiff's motion modules, which is not supported"},
    {"temp_convs.", "a network for videos, which is not supported"},
    {"transformer_in.", "a network for videos, which is not supported"},
    {"time_stack.", video},
    {"temporal_res_block.", video},
    {"fuser.", boxes},
    {"position_net.", boxes},
    {"encoder_hid_proj.",
     "a U-Net that projects its text or pictures (Kolors, IP-Adapter), which is not supported"},
    {0},
};

/** FreeU's published factors: a pooled embedding is SDXL's, linear projections are Stable Diffusion 2's, else it is 1. */
static pld_block_scales freeu_factors(const pld_unet_config *c) {
    if (c->pooled_width > 0) {
        return (pld_block_scales){{1.3F, 1.4F}, {0.9F, 0.2F}};
    }
    return (pld_block_scales){{c->linear_projection ? 1.4F : 1.5F, 1.6F}, {0.9F, 0.2F}};
}

static void facts(const void *config, pld_denoiser_facts *facts) {
    const pld_unet_config *c = config;
    const bool is_told = c->pooled_width > 0;
    *facts =
        (pld_denoiser_facts){.channels = c->in_channels,
                             .output_channels = c->out_channels,
                             .multiple = 1,
                             .least_side = (int64_t)1 << c->levels,
                             .sample_size = c->sample_size,
                             .state_width = c->context_width,
                             .state_width_field = "cross_attention_dim",
                             .pooled_width = c->pooled_width,
                             .told = is_told ? c->pooled_width + PLD_UNET_TIME_IDS * c->time_id_width : 0,
                             .told_sizes = is_told,
                             .text_joins_time = is_told,
                             .perturbed = "mid",
                             .freeu = freeu_factors(c)};
}

/** The side that it was trained at does not change the network. */
static bool same(const void *config, const void *other) {
    pld_unet_config a = *(const pld_unet_config *)config, b = *(const pld_unet_config *)other;
    a.sample_size = b.sample_size = 0;
    /* both are filled by one reader, in memory that was zero */
    return memcmp(&a, &b, sizeof a) == 0; // NOLINT(bugprone-suspicious-memory-comparison)
}

static const pld_denoiser denoiser = {
    .facts = facts,
    .build = pld_unet_build,
    .condition = pld_unet_condition_build,
    .tell = pld_unet_tell,
    .recognise = pld_unet_recognise,
    .tell_prediction = pld_unet_tell_prediction,
};

static const char *const unquantised[] = {"conv_in.",       "conv_out.",        "time_embedding.",
                                          "add_embedding.", "class_embedding.", NULL};

const pld_part_class pld_class_unet = {
    .name = "UNet2DConditionModel",
    .title = "U-Net",
    .role = PLD_ROLE_DENOISER,
    .config_bytes = sizeof(pld_unet_config),
    .read = pld_unet_config_parse,
    .layouts = layouts,
    .strangers = strangers,
    .same = same,
    .unquantised = unquantised,
    .describe = pld_unet_describe,
    .denoiser = &denoiser,
};
