/* SPDX-License-Identifier: Apache-2.0 */
/** CLIP's text encoder, transformers' CLIPTextModel and CLIPTextModelWithProjection (Radford et al. 2021,
 * arXiv 2103.00020). */
#ifndef PLD_MODELS_CLIP_TEXT_H
#define PLD_MODELS_CLIP_TEXT_H

#include "io/json.h"
#include "nn/build.h"

/** config.json of a CLIPTextModel or CLIPTextModelWithProjection. */
typedef struct pld_clip_text_config {
    int64_t vocabulary;   /**< vocab_size */
    int64_t width;        /**< hidden_size */
    int64_t intermediate; /**< intermediate_size */
    int64_t layers;       /**< num_hidden_layers */
    int64_t heads;        /**< num_attention_heads */
    int64_t positions;    /**< max_position_embeddings */
    int64_t projection;   /**< projection_dim: width of the pooled embedding; 0: null, there is none */
    pld_activation activation;
    double epsilon;       /**< layer_norm_eps */
    int64_t eos_token_id; /**< 2 stands for "the largest id", as published configurations have it */
} pld_clip_text_config;

/** Read and check FILE (a text_encoder/config.json). */
pld_status pld_clip_text_config_read(const char *file, pld_clip_text_config *config, pld_error *error);

/** The same from a parsed document: a pld_json_reader that fills a pld_clip_text_config. */
pld_status pld_clip_text_config_parse(void *target, const pld_json *top, pld_error *error);

/** What is wanted of the network. */
typedef struct pld_clip_text_options {
    int64_t batch;
    int64_t skip;    /**< layers in front of the end at which the states are taken; 0: all have run */
    bool final_norm; /**< the states go through the final norm (SD 1, 2); else they are taken as they are
                        (SDXL) */
    bool pooled;     /**< also the pooled and projected embedding; it always comes from all layers */
} pld_clip_text_options;

/** Values of the network that can be read after a run. */
typedef struct pld_clip_text_values {
    pld_value_id states; /**< [B, positions, width] */
    pld_value_id pooled; /**< [B, 1, projection]; PLD_NO_VALUE unless asked for */
} pld_clip_text_values;

/** Write the network down for `options->batch` prompts of config->positions ids. Layers that nothing asked
 * for are left out. */
pld_status pld_clip_text_build(pld_plan *plan, const pld_clip_text_config *config,
                               const pld_clip_text_options *options, pld_clip_text_values *values,
                               pld_error *error);

#endif
