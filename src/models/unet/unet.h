/* SPDX-License-Identifier: Apache-2.0 */
/** The denoiser of Stable Diffusion: diffusers' UNet2DConditionModel with (cross-attention) down, mid and up
 * blocks (Rombach et al. 2022, arXiv 2112.10752). */
#ifndef PLD_MODELS_UNET_H
#define PLD_MODELS_UNET_H

#include "models/unet/config.h"
#include "nn/build.h"

typedef struct pld_unet_values {
    pld_value_id sample; /**< input [B, h, w, in_channels], B rows or groups of them */
    pld_value_id output; /**< model output, likewise [B, h, w, out_channels] */
} pld_unet_values;

/** Latents of one evaluation. */
typedef struct pld_unet_shape {
    int64_t batch, height, width;
    /** Of `batch` rows that have the same latents and timestep: sample then has a row for each group of them
     * at the input, output for each that is left at the end. NULL: rows have nothing in common. Borrowed
     * while the network is written down. */
    const pld_row_sharing *sharing;
} pld_unet_shape;

/** One evaluation. The run brings timesteps and contexts, for each row of the batch. */
pld_status pld_unet_build(pld_plan *plan, const pld_unet_config *config, const pld_unet_shape *shape,
                          pld_unet_values *values, pld_error *error);

/** FreeU's published factors for this kind of U-Net. */
pld_block_scales pld_unet_freeu_defaults(const pld_unet_config *config);

/** Keys and values of all cross-attentions for one prompt. */
typedef struct pld_unet_context_values {
    pld_value_id context; /**< input [1, tokens, context_width] */
    pld_value_id *keys;   /**< [cross sites]; the caller's array */
    pld_value_id *values; /**< [cross sites] */
    /* where the configuration has text_time, else PLD_NO_VALUE */
    pld_value_id addition; /**< input [1, 1, pooled_width + PLD_UNET_TIME_IDS·time_id_width] */
    pld_value_id added;    /**< what joins the time embedding [1, 1, 4·widths[0]] */
} pld_unet_context_values;

/** Write down to_k and to_v of the cross `sites` of a built U-Net for a prompt of `tokens` states, and
 * add_embedding where the configuration has it. */
pld_status pld_unet_context_build(pld_plan *plan, const pld_unet_config *config, const pld_site *sites,
                                  size_t site_count, int64_t tokens, pld_unet_context_values *values,
                                  pld_error *error);

/** Fill the input `addition` from a pooled embedding [pooled_width] and the time ids. */
void pld_unet_fill_addition(const pld_unet_config *config, const float *pooled,
                            const float time_ids[PLD_UNET_TIME_IDS], float *addition);

#endif
