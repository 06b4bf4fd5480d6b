/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

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

/** Least-squares fits that the field's previewers share, of the autoencoders of Stable Diffusion and of XL. */
static const double sd_rgb[5][3] = {{0.3512, 0.2297, 0.3227},
                                    {0.3250, 0.4974, 0.2350},
                                    {-0.2829, 0.1762, 0.2721},
                                    {-0.2120, -0.2616, -0.7177},
                                    {0, 0, 0}};
static const double xl_rgb[5][3] = {{0.3651, 0.4232, 0.4341},
                                    {-0.2533, -0.0042, 0.1068},
                                    {0.1076, 0.1111, -0.0362},
                                    {-0.3165, -0.2492, -0.2188},
                                    {0.1084, -0.0175, -0.0011}};

/** An autoencoder is known by its latents' scale, which was measured for it. */
static const double (*colours_of(const pld_kl_config *c))[3] {
    const bool four = c->latent_channels == 4;
    return four && fabs(c->scaling_factor - 0.18215) < 1e-3   ? sd_rgb
           : four && fabs(c->scaling_factor - 0.13025) < 1e-3 ? xl_rgb
                                                              : NULL;
}

static void facts(const void *config, pld_autoencoder_facts *facts) {
    const pld_kl_config *c = config;
    *facts = (pld_autoencoder_facts){
        .factor = (int64_t)1 << (c->levels - 1), .channels = c->latent_channels, .latent_rgb = colours_of(c)};
    pld_autoencoder_scale_all(facts, c->scaling_factor, c->shift_factor);
}

static const pld_autoencoder autoencoder = {
    .facts = facts, .decoder = pld_kl_decoder_build, .encoder = pld_kl_encoder_build};

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
