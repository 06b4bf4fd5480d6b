/* SPDX-License-Identifier: Apache-2.0 */
/** T5's encoder, transformers' T5EncoderModel, in the form of T5 1.1 with gated GELU (Raffel et al. 2020,
 *  arXiv 1910.10683; Shazeer 2020, arXiv 2002.05202). */
#ifndef PLD_MODELS_T5_H
#define PLD_MODELS_T5_H

#include "models/layouts/names.h"
#include "models/text_encoder.h"

/** config.json of a T5EncoderModel. */
typedef struct pld_t5_config {
    int64_t vocabulary;    /**< vocab_size */
    int64_t width;         /**< d_model */
    int64_t head_size;     /**< d_kv */
    int64_t intermediate;  /**< d_ff */
    int64_t layers;        /**< num_layers */
    int64_t heads;         /**< num_heads */
    int64_t buckets;       /**< relative_attention_num_buckets */
    int64_t most_distance; /**< relative_attention_max_distance */
    double epsilon;        /**< layer_norm_epsilon */
} pld_t5_config;

/** A pld_json_reader that fills a pld_t5_config. */
pld_status pld_t5_config_parse(void *target, const pld_json *top, pld_error *error);

/** Write the network of a pld_t5_config down for texts of any number of tokens, which all count. There is no pooled
 * embedding. */
pld_status pld_t5_build(pld_plan *plan, const void *config, const pld_text_request *request,
                        pld_text_values *values, pld_error *error);

/** Names behind the prefix of files. */
extern const pld_name_rule pld_t5_names[], pld_t5_gguf_names[];

/** pld_part_class.describe */
pld_status pld_t5_describe(const pld_description *description, json_t **config, pld_error *error);

#endif
