/* SPDX-License-Identifier: Apache-2.0 */
/** CLIP's text encoder, transformers' CLIPTextModel and CLIPTextModelWithProjection (Radford et al. 2021,
 * arXiv 2103.00020). */
#ifndef PLD_MODELS_CLIP_H
#define PLD_MODELS_CLIP_H

#include "models/text_encoder.h"

/** config.json of a CLIPTextModel or CLIPTextModelWithProjection. */
typedef struct pld_clip_config {
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
} pld_clip_config;

/** Read and check FILE (a text_encoder/config.json). */
pld_status pld_clip_config_read(const char *file, pld_clip_config *config, pld_error *error);

/** The same from a parsed document: a pld_json_reader that fills a pld_clip_config. */
pld_status pld_clip_config_parse(void *target, const pld_json *top, pld_error *error);

/** Write the network of a pld_clip_config down for texts of as many tokens as it has positions. Layers that nothing asked
 * for are left out. The pooled embedding is the state of the end token, of which the second makes a projection. */
pld_status pld_clip_build(pld_plan *plan, const void *config, const pld_text_request *request,
                          pld_text_values *values, pld_error *error);
pld_status pld_clip_projection_build(pld_plan *plan, const void *config, const pld_text_request *request,
                                     pld_text_values *values, pld_error *error);

pld_status pld_clip_describe(const pld_description *description, json_t **config, pld_error *error);

/** Names behind the prefix; each table ends with a row of NULL. */
extern const pld_name_rule pld_open_clip_names[]; /**< OpenCLIP's text tower: SD 2, SDXL's second */
extern const pld_name_rule pld_clip_names[]; /**< transformers' CLIPTextModel, with and without text_model. */

#endif
