/* SPDX-License-Identifier: Apache-2.0 */
/** The autoencoder of Stable Diffusion: diffusers' AutoencoderKL. */
#ifndef PLD_MODELS_VAE_H
#define PLD_MODELS_VAE_H

#include "io/json.h"
#include "nn/build.h"

enum { PLD_VAE_MAX_LEVELS = 8 };

/** config.json of an AutoencoderKL. */
typedef struct pld_vae_config {
    int64_t levels;
    int64_t widths[PLD_VAE_MAX_LEVELS]; /**< block_out_channels, from the finest */
    int64_t layers;                     /**< layers_per_block; the decoder has one more */
    int64_t in_channels, out_channels, latent_channels;
    int64_t groups; /**< norm_num_groups */
    bool mid_attention;
    bool quant_conv, post_quant_conv;
    double scaling_factor, shift_factor;
} pld_vae_config;

pld_status pld_vae_config_read(const char *file, pld_vae_config *config, pld_error *error);

/** The same from a parsed document: a pld_json_reader that fills a pld_vae_config. */
pld_status pld_vae_config_parse(void *target, const pld_json *top, pld_error *error);

/** Pixels of a side for one of latents: 2^(levels − 1). */
int64_t pld_vae_factor(const pld_vae_config *config);

typedef struct pld_vae_values {
    pld_value_id
        in; /**< decoder: latents [B, h, w, latent_channels], scaling undone; encoder: picture in −1…1 */
    pld_value_id out; /**< decoder: picture [B, H, W, 3]; encoder: moments [B, h, w, 2·latent_channels] */
} pld_vae_values;

pld_status pld_vae_decoder_build(pld_plan *plan, const pld_vae_config *config, int64_t batch, int64_t height,
                                 int64_t width, pld_vae_values *values, pld_error *error);

/** `height`, `width` in pixels. Mean and log-variance of the latents, channel halves. */
pld_status pld_vae_encoder_build(pld_plan *plan, const pld_vae_config *config, int64_t batch, int64_t height,
                                 int64_t width, pld_vae_values *values, pld_error *error);

#endif
