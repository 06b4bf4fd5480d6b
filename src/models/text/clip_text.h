/* SPDX-License-Identifier: Apache-2.0 */
/** CLIP's text encoder, transformers' CLIPTextModel (Radford et al. 2021, arXiv 2103.00020). */
#ifndef PLD_MODELS_CLIP_TEXT_H
#define PLD_MODELS_CLIP_TEXT_H

#include "io/json.h"
#include "nn/build.h"

/** config.json of a CLIPTextModel. */
typedef struct pld_clip_text_config {
    int64_t vocabulary;   /**< vocab_size */
    int64_t width;        /**< hidden_size */
    int64_t intermediate; /**< intermediate_size */
    int64_t layers;       /**< num_hidden_layers */
    int64_t heads;        /**< num_attention_heads */
    int64_t positions;    /**< max_position_embeddings */
    pld_activation activation;
    double epsilon;       /**< layer_norm_eps */
    int64_t eos_token_id; /**< 2 stands for "the largest id", as published configurations have it */
} pld_clip_text_config;

/** Read and check FILE (a text_encoder/config.json). */
pld_status pld_clip_text_config_read(const char *file, pld_clip_text_config *config, pld_error *error);

/** The same from a parsed document: a pld_json_reader that fills a pld_clip_text_config. */
pld_status pld_clip_text_config_parse(void *target, const pld_json *top, pld_error *error);

/** Values of the network that can be read after a run; all [B, positions, width]. */
typedef struct pld_clip_text_values {
    pld_value_id last_hidden_state; /**< after the final norm */
} pld_clip_text_values;

/** Write the network down for `batch` prompts of config->positions ids. The last `skip` layers (0: none) are
 * left out, the final norm stays (what SD 1 and 2 do for clip-skip). */
pld_status pld_clip_text_build(pld_plan *plan, const pld_clip_text_config *config, int64_t batch,
                               int64_t skip, pld_clip_text_values *values, pld_error *error);

#endif
