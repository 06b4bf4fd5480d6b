/* SPDX-License-Identifier: Apache-2.0 */
#include "models/autoencoder.h"
#include "models/families/rows.h"
#include "models/kl/kl.h"

#define LATENT_DIFFUSION "decoder.up.0.block.0.conv1.weight"
#define DIFFUSERS        "decoder.up_blocks.0.resnets.0.conv1.weight"

static const char latent_diffusion[] = "latent diffusion";
static const char levels[] = "decoder.up.%d.block.0.conv1.weight";
static const char diffusers_levels[] = "decoder.up_blocks.%d.resnets.0.conv1.weight";

static const pld_part_layout layouts[] = {
    {"vae", latent_diffusion, "first_stage_model.", pld_kl_names, LATENT_DIFFUSION, levels, diffusers_levels,
     NULL, NULL},
    {"vae", latent_diffusion, "vae.", pld_kl_names, LATENT_DIFFUSION, levels, diffusers_levels, NULL, NULL},
    {"vae", latent_diffusion, "", pld_kl_names, LATENT_DIFFUSION, levels, diffusers_levels, NULL, NULL},
    {"vae", "diffusers", "vae.", pld_diffusers_kl_names, DIFFUSERS, NULL, NULL, NULL, NULL},
    {"vae", "diffusers", "first_stage_model.", pld_diffusers_kl_names, DIFFUSERS, NULL, NULL, NULL, NULL},
    {"vae", "diffusers", "", pld_diffusers_kl_names, DIFFUSERS, NULL, NULL, NULL, NULL},
    {0},
};

static const pld_stranger strangers[] = {
    {"quantize.", "a vector-quantised autoencoder, which is not supported"},
    {"condition_encoder.", "an autoencoder whose decoder is conditioned on a mask, which is not supported"},
    {"time_stack.", "the autoencoder of Stable Video Diffusion, which is not supported"},
    {"temporal_res_block.", "the autoencoder of Stable Video Diffusion, which is not supported"},
    {0},
};

static void facts(const void *config, pld_autoencoder_facts *facts) {
    const pld_kl_config *c = config;
    *facts = (pld_autoencoder_facts){.factor = (int64_t)1 << (c->levels - 1),
                                     .channels = c->latent_channels,
                                     .scale = c->scaling_factor,
                                     .shift = c->shift_factor};
}

static const pld_autoencoder autoencoder = {facts, pld_kl_decoder_build, pld_kl_encoder_build};

const pld_part_class pld_class_kl = {
    .name = "AutoencoderKL",
    .title = "autoencoder",
    .role = PLD_ROLE_AUTOENCODER,
    .config_bytes = sizeof(pld_kl_config),
    .read = pld_kl_config_parse,
    .layouts = layouts,
    .strangers = strangers,
    .describe = pld_kl_describe,
    .autoencoder = &autoencoder,
};
