/* SPDX-License-Identifier: Apache-2.0 */
/** The denoiser of FLUX.2, diffusers' Flux2Transformer2DModel (Black Forest Labs 2025). Like FLUX.1's, double blocks in front
 *  of single ones, with joint attention in both; unlike there, every block of a kind is modulated by the same numbers, no
 *  layer has a bias, the feed-forward layers are SwiGLU, and a single block is one matrix in and one out. */
#ifndef PLD_MODELS_FLUX2_H
#define PLD_MODELS_FLUX2_H

#include "models/denoiser.h"

enum {
    PLD_FLUX2_AXES = 4 /**< of a token's place: a picture among others, row, column, token of the text */
};

/** config.json of a Flux2Transformer2DModel. */
typedef struct pld_flux2_config {
    int64_t channels;         /**< in_channels: of the sample, which the autoencoder has put into patches */
    int64_t heads, head_size; /**< num_attention_heads, attention_head_dim */
    int64_t layers;           /**< double blocks */
    int64_t single_layers;    /**< single blocks */
    int64_t text_width;       /**< joint_attention_dim: of the text states */
    int64_t sinusoids;        /**< timestep_guidance_channels: of a timestep or a guidance scale */
    int64_t mlp_width;        /**< mlp_ratio times the width */
    int64_t axes[PLD_FLUX2_AXES]; /**< axes_dims_rope: numbers of a head that turn with each axis */
    double theta;                 /**< rope_theta */
    double epsilon;               /**< eps of every norm */
    bool guidance_embeds;         /**< it is told of the guidance scale: FLUX.2 dev */
} pld_flux2_config;

static inline int64_t pld_flux2_width(const pld_flux2_config *c) {
    return c->heads * c->head_size;
}

/** A pld_json_reader that fills a pld_flux2_config. */
pld_status pld_flux2_config_parse(void *target, const pld_json *top, pld_error *error);

/** pld_denoiser.build */
pld_status pld_flux2_build(pld_plan *plan, const void *config, const pld_denoiser_shape *shape,
                           pld_denoiser_values *values, pld_error *error);

/** pld_denoiser.condition: where it is told of one, what the guidance scale adds to the embedding of the timestep; then the
 * text states as they enter the first block. */
pld_status pld_flux2_condition_build(pld_plan *plan, const void *config, const pld_condition_request *request,
                                     pld_condition_values *values, pld_error *error);

/** pld_denoiser.tell: sinusoids of the guidance scale, where it is told of one. */
void pld_flux2_tell(const void *config, const float *pooled, const pld_picture_facts *picture, float *told);

#endif
