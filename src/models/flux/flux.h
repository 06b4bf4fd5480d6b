/* SPDX-License-Identifier: Apache-2.0 */
/** The denoiser of FLUX.1, diffusers' FluxTransformer2DModel (Black Forest Labs 2024): tokens of the text and of the picture
 *  attend to each other in one softmax (Esser et al. 2024, arXiv 2403.03206). In the first blocks, the double ones, either
 *  stream has weights of its own; in those behind them, the single ones, both are one stream, whose attention and
 *  feed-forward layer stand beside each other. */
#ifndef PLD_MODELS_FLUX_H
#define PLD_MODELS_FLUX_H

#include "models/denoiser.h"

enum {
    PLD_FLUX_AXES = 3,  /**< of a token's place: one for pictures that belong together, row, column */
    PLD_FLUX_PATCH = 2, /**< side of the patch of latents that is a token */
    PLD_FLUX_PATCH_AREA = PLD_FLUX_PATCH * PLD_FLUX_PATCH, /**< latents of a channel in a token */
    PLD_FLUX_SINUSOIDS = 256,                              /**< of a timestep or a guidance scale */
    PLD_FLUX_MLP_RATIO = 4
};

/** config.json of a FluxTransformer2DModel. */
typedef struct pld_flux_config {
    int64_t token_channels;      /**< in_channels: numbers of a patch of latents */
    int64_t heads, head_size;    /**< num_attention_heads, attention_head_dim */
    int64_t layers;              /**< double blocks */
    int64_t single_layers;       /**< single blocks */
    int64_t text_width;          /**< joint_attention_dim: of the text states */
    int64_t pooled_width;        /**< pooled_projection_dim: of the pooled embedding of the text */
    int64_t axes[PLD_FLUX_AXES]; /**< axes_dims_rope: numbers of a head that turn with each axis */
    bool guidance_embeds;        /**< it is told of the guidance scale: FLUX.1 dev */
} pld_flux_config;

static inline int64_t pld_flux_width(const pld_flux_config *c) {
    return c->heads * c->head_size;
}

static inline int64_t pld_flux_channels(const pld_flux_config *c) {
    return c->token_channels / PLD_FLUX_PATCH_AREA;
}

/** A pld_json_reader that fills a pld_flux_config. */
pld_status pld_flux_config_parse(void *target, const pld_json *top, pld_error *error);

/** pld_denoiser.build */
pld_status pld_flux_build(pld_plan *plan, const void *config, const pld_denoiser_shape *shape,
                          pld_denoiser_values *values, pld_error *error);

/** pld_denoiser.condition: what the guidance scale and the pooled text add to the embedding of the timestep, then the text
 * states as they enter the first block. Nothing further of the text is the same in every evaluation. */
pld_status pld_flux_condition_build(pld_plan *plan, const void *config, const pld_condition_request *request,
                                    pld_condition_values *values, pld_error *error);

/** pld_denoiser.tell: the pooled text, then sinusoids of the guidance scale where it is told of one. */
void pld_flux_tell(const void *config, const float *pooled, const pld_picture_facts *picture, float *told);

#endif
