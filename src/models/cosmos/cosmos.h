/* SPDX-License-Identifier: Apache-2.0 */
/** The denoiser of Anima, diffusers' CosmosTransformer3DModel for one frame: blocks of self-attention with rotated queries
 *  and keys, cross-attention to the text and a feed-forward layer. Each of the three has a shift, a scale and a gate from the
 *  timestep, through a low-rank layer of its own ("adaLN-LoRA"; NVIDIA 2025, arXiv 2501.03575). */
#ifndef PLD_MODELS_COSMOS_H
#define PLD_MODELS_COSMOS_H

#include "models/denoiser.h"
#include "models/layouts/names.h"

/** Frames, rows and columns. */
enum { PLD_COSMOS_AXES = 3 };

/** config.json of a CosmosTransformer3DModel. */
typedef struct pld_cosmos_config {
    int64_t channels, out_channels;
    int64_t heads, head_size; /**< num_attention_heads, attention_head_dim */
    int64_t layers;
    int64_t hidden;     /**< width of the feed-forward layer: mlp_ratio times the width */
    int64_t text_width; /**< text_embed_dim: of the text states */
    int64_t rank;       /**< adaln_lora_dim */
    int64_t patch;      /**< patch_size, of rows and columns */
    double rope_scale[PLD_COSMOS_AXES];
} pld_cosmos_config;

static inline int64_t pld_cosmos_width(const pld_cosmos_config *c) {
    return c->heads * c->head_size;
}

/** Numbers of a head that turn with the frame, and with the row or the column, which have equal shares. */
static inline int64_t pld_cosmos_side_share(int64_t head_size) {
    return head_size / 6 * 2;
}
static inline int64_t pld_cosmos_frame_share(int64_t head_size) {
    return head_size - 2 * pld_cosmos_side_share(head_size);
}

/** A pld_json_reader that fills a pld_cosmos_config. */
pld_status pld_cosmos_config_parse(void *target, const pld_json *top, pld_error *error);

/** pld_denoiser.build */
pld_status pld_cosmos_build(pld_plan *plan, const void *config, const pld_denoiser_shape *shape,
                            pld_denoiser_values *values, pld_error *error);

/** pld_denoiser.condition: to_k, with its norm, and to_v of each cross-attention. A text state of zeros gives a key and a
 * value of zeros, so those that fill a text up need only be counted. */
pld_status pld_cosmos_condition_build(pld_plan *plan, const void *config,
                                      const pld_condition_request *request, pld_condition_values *values,
                                      pld_error *error);

/** Norm and rotation of queries or keys x [B, h, w, width] by their tokens' places in the picture; returns x. */
pld_value_id pld_cosmos_rotate(pld_builder *b, const pld_cosmos_config *c, const char *norm, pld_value_id x);

/** The norm alone, of queries or keys of a cross-attention. */
pld_value_id pld_cosmos_norm_heads(pld_builder *b, const pld_cosmos_config *c, const char *norm,
                                   pld_value_id x);

/** Names of files of one network: NVIDIA's, which Anima's authors kept, and diffusers'. */
extern const pld_name_rule pld_cosmos_names[], pld_diffusers_cosmos_names[];

/** pld_part_class.describe */
pld_status pld_cosmos_describe(const pld_description *description, json_t **config, pld_error *error);

#endif
