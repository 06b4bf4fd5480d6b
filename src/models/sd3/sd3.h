/* SPDX-License-Identifier: Apache-2.0 */
/** The denoiser of Stable Diffusion 3 and 3.5, diffusers' SD3Transformer2DModel ("MMDiT"): tokens of the picture and of the
 *  text, each with weights of their own, attend to each other in one softmax (Esser et al. 2024, arXiv 2403.03206). In 3.5
 *  medium ("MMDiT-X") some blocks have a second attention beside it, of the picture's tokens alone. The picture's tokens
 *  stand first. */
#ifndef PLD_MODELS_SD3_H
#define PLD_MODELS_SD3_H

#include "models/denoiser.h"

enum {
    PLD_SD3_SINUSOIDS = 256, /**< of a timestep */
    PLD_SD3_MLP_RATIO = 4,
    PLD_SD3_MOST_LAYERS = 256
};

/** config.json of a SD3Transformer2DModel. */
typedef struct pld_sd3_config {
    int64_t channels;               /**< in_channels */
    int64_t patch;                  /**< patch_size */
    int64_t sample_size;            /**< side of the latents that it was trained at */
    int64_t heads, head_size;       /**< num_attention_heads, attention_head_dim */
    int64_t layers;                 /**< num_layers */
    int64_t text_width;             /**< joint_attention_dim: of the text states */
    int64_t pooled_width;           /**< pooled_projection_dim: of the pooled embedding of the text */
    int64_t places;                 /**< pos_embed_max_size: side of the square of places, in tokens */
    bool dual[PLD_SD3_MOST_LAYERS]; /**< dual_attention_layers: whether a block has the second attention */
    bool norms_heads; /**< qk_norm: an RMS norm of the heads of queries and keys; 3.0 has none */
} pld_sd3_config;

static inline int64_t pld_sd3_width(const pld_sd3_config *c) {
    return c->heads * c->head_size;
}

/** A pld_json_reader that fills a pld_sd3_config. */
pld_status pld_sd3_config_parse(void *target, const pld_json *top, pld_error *error);

/** pld_denoiser.build */
pld_status pld_sd3_build(pld_plan *plan, const void *config, const pld_denoiser_shape *shape,
                         pld_denoiser_values *values, pld_error *error);

/** pld_denoiser.condition: what the pooled text adds to the embedding of the timestep, then the text states as they enter
 * the first block. */
pld_status pld_sd3_condition_build(pld_plan *plan, const void *config, const pld_condition_request *request,
                                   pld_condition_values *values, pld_error *error);

/** pld_denoiser.tell: the pooled text. */
void pld_sd3_tell(const void *config, const float *pooled, const pld_picture_facts *picture, float *told);

#endif
