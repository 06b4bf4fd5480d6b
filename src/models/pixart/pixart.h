/* SPDX-License-Identifier: Apache-2.0 */
/** The denoiser of PixArt-α and PixArt-Σ, diffusers' PixArtTransformer2DModel: blocks of self-attention, cross-attention to
 *  T5's states and a feed-forward layer, with the scales, shifts and gates of one embedding of the timestep ("adaLN-single";
 *  Chen et al. 2023, arXiv 2310.00426, and 2024, arXiv 2403.04692). */
#ifndef PLD_MODELS_PIXART_H
#define PLD_MODELS_PIXART_H

#include "models/denoiser.h"

enum {
    PLD_PIXART_SINUSOIDS = 256, /* of a timestep or size */
    PLD_PIXART_SIZES = 3        /* height, width, height / width */
};

/** config.json of a PixArtTransformer2DModel. */
typedef struct pld_pixart_config {
    int64_t channels, out_channels;
    int64_t heads, head_size; /**< num_attention_heads, attention_head_dim */
    int64_t layers;
    int64_t caption_width;       /**< caption_channels: of the text states */
    int64_t patch;               /**< patch_size */
    int64_t sample_size;         /**< side of the latents that it was trained at */
    int64_t interpolation_scale; /**< of the positions */
    bool attention_bias;
    bool sizes;     /**< use_additional_conditions: it is told of height, width and aspect ratio */
    double epsilon; /**< norm_eps, of the norms of the blocks */
} pld_pixart_config;

static inline int64_t pld_pixart_width(const pld_pixart_config *c) {
    return c->heads * c->head_size;
}

/** A pld_json_reader that fills a pld_pixart_config. */
pld_status pld_pixart_config_parse(void *target, const pld_json *top, pld_error *error);

/** pld_denoiser.build */
pld_status pld_pixart_build(pld_plan *plan, const void *config, const pld_denoiser_shape *shape,
                            pld_denoiser_values *values, pld_error *error);

/** pld_denoiser.condition: the embedding of the sizes where it is told of them; then to_k and to_v of each cross-attention
 * of the projected text. */
pld_status pld_pixart_condition_build(pld_plan *plan, const void *config,
                                      const pld_condition_request *request, pld_condition_values *values,
                                      pld_error *error);

/** pld_denoiser.tell: sinusoids of height, width and height / width. */
void pld_pixart_tell(const void *config, const float *pooled, const pld_picture_facts *picture, float *told);

#endif
