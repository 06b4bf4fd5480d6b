/* SPDX-License-Identifier: Apache-2.0 */
/** The denoiser of Stable Diffusion: diffusers' UNet2DConditionModel with (cross-attention) down, mid and up
 * blocks (Rombach et al. 2022, arXiv 2112.10752). */
#ifndef PLD_MODELS_UNET_H
#define PLD_MODELS_UNET_H

#include "models/unet/config.h"
#include "nn/build.h"

typedef struct pld_unet_values {
    pld_value_id sample; /**< input [B, h, w, in_channels] */
    pld_value_id output; /**< model output [B, h, w, out_channels] */
} pld_unet_values;

/** One evaluation for `batch` rows of [height, width] latents. The run brings timesteps and contexts. */
pld_status pld_unet_build(pld_plan *plan, const pld_unet_config *config, int64_t batch, int64_t height,
                          int64_t width, pld_unet_values *values, pld_error *error);

/** Keys and values of all cross-attentions for one prompt. */
typedef struct pld_unet_context_values {
    pld_value_id context; /**< input [1, tokens, context_width] */
    pld_value_id *keys;   /**< [cross sites]; the caller's array */
    pld_value_id *values; /**< [cross sites] */
} pld_unet_context_values;

/** Write down to_k and to_v of the cross `sites` of a built U-Net for a prompt of `tokens` states. */
pld_status pld_unet_context_build(pld_plan *plan, const pld_unet_config *config, const pld_site *sites,
                                  size_t site_count, int64_t tokens, pld_unet_context_values *values,
                                  pld_error *error);

#endif
