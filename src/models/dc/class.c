/* SPDX-License-Identifier: Apache-2.0 */
#include "models/dc/dc.h"
#include "models/families/rows.h"

/* A tensor of the finest level but one, which always has blocks, by their kind. */
#define RESIDUAL  "decoder.up_blocks.1.1.conv2.weight"
#define ATTENTION "decoder.up_blocks.1.1.attn.to_q.weight"

static const pld_name_rule names[] = {
    PLD_RENAME("encoder.", "encoder."),
    PLD_RENAME("decoder.", "decoder."),
    {0},
};

static const pld_part_layout layouts[] = {
    {"vae", "diffusers", "vae.", names, RESIDUAL, NULL, NULL, NULL, NULL},
    {"vae", "diffusers", "vae.", names, ATTENTION, NULL, NULL, NULL, NULL},
    {"vae", "diffusers", "first_stage_model.", names, RESIDUAL, NULL, NULL, NULL, NULL},
    {"vae", "diffusers", "first_stage_model.", names, ATTENTION, NULL, NULL, NULL, NULL},
    {"vae", "diffusers", "", names, RESIDUAL, NULL, NULL, NULL, NULL},
    {"vae", "diffusers", "", names, ATTENTION, NULL, NULL, NULL, NULL},
    {0},
};

/** Nothing is drawn of the encoder's latents, and nobody has published colours for previews of them. */
static void facts(const void *config, pld_autoencoder_facts *facts) {
    const pld_dc_config *c = config;
    *facts = (pld_autoencoder_facts){
        .factor = (int64_t)1 << (c->levels - 1), .channels = c->latent_channels, .no_moments = true};
    pld_autoencoder_scale_all(facts, c->scaling_factor, 0);
}

static const pld_autoencoder autoencoder = {
    .facts = facts, .decoder = pld_dc_decoder_build, .encoder = pld_dc_encoder_build};

const pld_part_class pld_class_dc = {
    .name = "AutoencoderDC",
    .title = "autoencoder",
    .role = PLD_ROLE_AUTOENCODER,
    .config_bytes = sizeof(pld_dc_config),
    .read = pld_dc_config_parse,
    .layouts = layouts,
    .describe = pld_dc_describe,
    .autoencoder = &autoencoder,
};
