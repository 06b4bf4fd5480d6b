/* SPDX-License-Identifier: Apache-2.0 */
#include "models/families/rows.h"
#include "models/qwen_vae/qwen_vae.h"

#define WAN       "decoder.upsamples.0.residual.0.gamma"
#define DIFFUSERS "decoder.up_blocks.0.resnets.0.norm1.gamma"

static const char wan[] = "Wan";

static const pld_part_layout layouts[] = {
    {"vae", wan, "first_stage_model.", pld_wan_vae_names, WAN, NULL, NULL, NULL, NULL},
    {"vae", wan, "vae.", pld_wan_vae_names, WAN, NULL, NULL, NULL, NULL},
    {"vae", wan, "", pld_wan_vae_names, WAN, NULL, NULL, NULL, NULL},
    {"vae", "diffusers", "vae.", pld_diffusers_qwen_vae_names, DIFFUSERS, NULL, NULL, NULL, NULL},
    {"vae", "diffusers", "first_stage_model.", pld_diffusers_qwen_vae_names, DIFFUSERS, NULL, NULL, NULL,
     NULL},
    {"vae", "diffusers", "", pld_diffusers_qwen_vae_names, DIFFUSERS, NULL, NULL, NULL, NULL},
    {0},
};

/** Each channel has its own mean and deviation. Colours of the latents for previews are not known. */
static void facts(const void *config, pld_autoencoder_facts *facts) {
    const pld_qwen_vae_config *c = config;
    *facts = (pld_autoencoder_facts){.factor = (int64_t)1 << (c->levels - 1),
                                     .channels = c->latent_channels,
                                     .clamped = true,
                                     .takes_mean = true};
    for (int64_t i = 0; i < c->latent_channels; i++) {
        facts->scale[i] = 1.0F / (float)c->deviation[i];
        facts->shift[i] = (float)c->mean[i];
    }
}

static const pld_autoencoder autoencoder = {
    .facts = facts, .decoder = pld_qwen_vae_decoder_build, .encoder = pld_qwen_vae_encoder_build};

const pld_part_class pld_class_qwen_vae = {
    .name = "AutoencoderKLQwenImage",
    .title = "autoencoder",
    .role = PLD_ROLE_AUTOENCODER,
    .config_bytes = sizeof(pld_qwen_vae_config),
    .read = pld_qwen_vae_config_parse,
    .layouts = layouts,
    .describe = pld_qwen_vae_describe,
    .autoencoder = &autoencoder,
};
