/* SPDX-License-Identifier: Apache-2.0 */
/** The autoencoder of Qwen-Image, Anima and Krea 2, which is Wan 2.1's for videos: diffusers' AutoencoderKLQwenImage. A
 *  picture is a video of one frame. Its convolutions over frames are causal, and meet zeros before the first one, so the
 *  last step of their kernels is all that counts. */
#ifndef PLD_MODELS_QWEN_VAE_H
#define PLD_MODELS_QWEN_VAE_H

#include "models/autoencoder.h"

enum { PLD_QWEN_VAE_MOST_LEVELS = 8 };

/** config.json of an AutoencoderKLQwenImage. */
typedef struct pld_qwen_vae_config {
    int64_t levels;
    int64_t widths[PLD_QWEN_VAE_MOST_LEVELS]; /**< base_dim · dim_mult, from the finest */
    int64_t base;                             /**< base_dim, with which the encoder begins */
    int64_t layers;                           /**< num_res_blocks; the decoder has one more */
    int64_t latent_channels;                  /**< z_dim */
    bool halves_frames
        [PLD_QWEN_VAE_MOST_LEVELS]; /**< temperal_downsample: has a convolution over frames, unused here */
    double mean[PLD_MOST_LATENT_CHANNELS],
        deviation[PLD_MOST_LATENT_CHANNELS]; /**< latents_mean, latents_std */
} pld_qwen_vae_config;

/** A pld_json_reader that fills a pld_qwen_vae_config. */
pld_status pld_qwen_vae_config_parse(void *target, const pld_json *top, pld_error *error);

/** pld_autoencoder_build for a pld_qwen_vae_config. */
pld_status pld_qwen_vae_decoder_build(pld_plan *plan, const void *config, int64_t batch, int64_t height,
                                      int64_t width, pld_autoencoder_values *values, pld_error *error);
pld_status pld_qwen_vae_encoder_build(pld_plan *plan, const void *config, int64_t batch, int64_t height,
                                      int64_t width, pld_autoencoder_values *values, pld_error *error);

pld_status pld_qwen_vae_describe(const pld_description *description, json_t **config, pld_error *error);

/** Names behind the prefix; each table ends with a row of NULL. */
extern const pld_name_rule pld_wan_vae_names[]; /**< Wan's, of a decoder with two layers a level */
extern const pld_name_rule pld_diffusers_qwen_vae_names[];

#endif
