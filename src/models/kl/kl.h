/* SPDX-License-Identifier: Apache-2.0 */
/** The autoencoder of Stable Diffusion: diffusers' AutoencoderKL. That of FLUX.2, AutoencoderKLFlux2, is the same network,
 *  whose latents are put into patches and scaled by statistics that its file holds. */
#ifndef PLD_MODELS_KL_H
#define PLD_MODELS_KL_H

#include "models/autoencoder.h"

enum { PLD_KL_MAX_LEVELS = 8 };

/** config.json of an AutoencoderKL. */
typedef struct pld_kl_config {
    int64_t levels;
    int64_t widths[PLD_KL_MAX_LEVELS]; /**< block_out_channels, from the finest */
    int64_t layers;                    /**< layers_per_block; the decoder has one more */
    int64_t in_channels, out_channels, latent_channels;
    int64_t groups; /**< norm_num_groups */
    bool mid_attention;
    bool quant_conv, post_quant_conv;
    double scaling_factor, shift_factor;
    /* of FLUX.2's */
    int64_t patch; /**< side of the patches in which the denoiser has the latents; 1: of AutoencoderKL */
    double statistics_epsilon; /**< batch_norm_eps: added to the variances */
} pld_kl_config;

/** Channels of the latents as the denoiser has them. */
static inline int64_t pld_kl_channels(const pld_kl_config *c) {
    return c->latent_channels * c->patch * c->patch;
}

pld_status pld_kl_config_read(const char *file, pld_kl_config *config, pld_error *error);

/** The same from a parsed document: a pld_json_reader that fills a pld_kl_config. */
pld_status pld_kl_config_parse(void *target, const pld_json *top, pld_error *error);

/** The same of an AutoencoderKLFlux2. */
pld_status pld_kl_flux2_config_parse(void *target, const pld_json *top, pld_error *error);

/** pld_autoencoder_build for a pld_kl_config. */
pld_status pld_kl_decoder_build(pld_plan *plan, const void *config, int64_t batch, int64_t height,
                                int64_t width, pld_autoencoder_values *values, pld_error *error);
pld_status pld_kl_encoder_build(pld_plan *plan, const void *config, int64_t batch, int64_t height,
                                int64_t width, pld_autoencoder_values *values, pld_error *error);

pld_status pld_kl_describe(const pld_description *description, json_t **config, pld_error *error);
pld_status pld_kl_flux2_describe(const pld_description *description, json_t **config, pld_error *error);

/** Names behind the prefix; each table ends with a row of NULL. */
extern const pld_name_rule
    pld_kl_names[]; /**< latent diffusion's AutoencoderKL; {n-a} counts from its coarsest level */
extern const pld_name_rule pld_diffusers_kl_names[];
extern const pld_name_rule pld_kl_flux2_names[], pld_diffusers_kl_flux2_names[];

#endif
