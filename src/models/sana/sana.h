/* SPDX-License-Identifier: Apache-2.0 */
/** The denoiser of SANA and SANA-Sprint, diffusers' SanaTransformer2DModel: blocks of linear self-attention, cross-attention
 *  to Gemma's states and a feed-forward of convolutions, with the scales, shifts and gates of one embedding of the timestep
 *  (Xie et al. 2024, arXiv 2410.10629; Chen et al. 2025, arXiv 2503.09641). */
#ifndef PLD_MODELS_SANA_H
#define PLD_MODELS_SANA_H

#include "models/denoiser.h"

enum { PLD_SANA_SINUSOIDS = 256 /* of a timestep or a guidance scale */ };

/** config.json of a SanaTransformer2DModel. */
typedef struct pld_sana_config {
    int64_t channels, out_channels;
    int64_t heads, head_size; /**< of the self-attentions: num_attention_heads, attention_head_dim */
    int64_t cross_heads, cross_head_size; /**< num_cross_attention_heads, cross_attention_head_dim */
    int64_t layers;
    int64_t caption_width; /**< caption_channels: of the text states */
    int64_t patch;         /**< patch_size */
    int64_t sample_size;   /**< side of the latents that it was trained at */
    double mlp_ratio;
    double interpolation_scale; /**< of the positions; 0: it has none */
    double epsilon;             /**< norm_eps, of the layer norms of the blocks */
    double timestep_scale;      /**< by which SANA's pipeline multiplies the timestep */
    double guidance_scale;      /**< guidance_embeds_scale */
    bool attention_bias;        /**< of the self-attentions' to_q, to_k, to_v */
    bool guidance_embeds;       /**< it is told of the guidance scale: SANA-Sprint */
    bool qk_norm;               /**< an RMS norm over all heads of query and key */
} pld_sana_config;

static inline int64_t pld_sana_width(const pld_sana_config *c) {
    return c->heads * c->head_size;
}

/** RMS norm NAME over all heads of x [B, T, width], in its place, where the network has one; returns x. */
static inline pld_value_id pld_sana_qk_norm(pld_builder *b, const pld_sana_config *c, const char *name,
                                            pld_value_id x, int64_t heads) {
    const pld_rotation_options options = {
        .heads = heads, .norm = name, .norm_of_all = true, .epsilon = 1e-5 /* diffusers' Attention */};
    return c->qk_norm ? pld_rotate_heads(b, x, &options) : x;
}

/** A pld_json_reader that fills a pld_sana_config. */
pld_status pld_sana_config_parse(void *target, const pld_json *top, pld_error *error);

/** pld_denoiser.build */
pld_status pld_sana_build(pld_plan *plan, const void *config, const pld_denoiser_shape *shape,
                          pld_denoiser_values *values, pld_error *error);

/** pld_denoiser.condition: the embedding of the guidance scale where it is told of one; then to_k and to_v of each
 * cross-attention of the projected, normed text. */
pld_status pld_sana_condition_build(pld_plan *plan, const void *config, const pld_condition_request *request,
                                    pld_condition_values *values, pld_error *error);

/** pld_denoiser.tell: sinusoids of the guidance scale. */
void pld_sana_tell(const void *config, const float *pooled, const pld_picture_facts *picture, float *told);

#endif
