/* SPDX-License-Identifier: Apache-2.0 */
/** Text encoders that are language models without their last layer: causal attention over grouped heads with rotary
 *  positions, RMS norms, gated feed-forward units, no biases. What differs between them is data. */
#ifndef PLD_MODELS_BLOCKS_CAUSAL_H
#define PLD_MODELS_BLOCKS_CAUSAL_H

#include "models/text_encoder.h"

enum { PLD_MOST_CAUSAL_LAYERS = 256 };

/** What a class of them does. */
typedef struct pld_causal_rules {
    const pld_part_class *class; /**< by which configurations are checked */
    bool norms_less_one;         /**< weights of norms are stored less one */
    bool scaled_embedding;       /**< the embedding is multiplied by √width */
    bool head_norms;             /**< an RMS norm of each head of queries and keys: q_norm, k_norm */
    /** Norms before and after attention, before and after the feed-forward unit; NULL: there is none. */
    const char *before_attention, *after_attention, *before_feed_forward, *after_feed_forward;
    pld_activation activation; /**< of gate_proj */
} pld_causal_rules;

/** config.json, under the names of transformers. */
typedef struct pld_causal_config {
    int64_t vocabulary;   /**< vocab_size */
    int64_t width;        /**< hidden_size */
    int64_t intermediate; /**< intermediate_size */
    int64_t layers;       /**< num_hidden_layers */
    int64_t heads;        /**< num_attention_heads */
    int64_t key_heads;    /**< num_key_value_heads, which divide the heads */
    int64_t head_size;    /**< head_dim; heads·head_size need not be the width */
    double epsilon;       /**< rms_norm_eps */
    double theta;         /**< rope_theta, or that of rope_parameters */
    double query_scalar;  /**< logits are divided by its root; 0: head_size */
    double soft_cap;      /**< attn_logit_softcapping; 0: none */
    int64_t window;       /**< sliding_window, of the layers that slide; 0: none */
    bool slides[PLD_MOST_CAUSAL_LAYERS];
} pld_causal_config;

/** Read what such configurations have in common, over the class's defaults in `config`: all but query_scalar, soft_cap and
 * which layers slide. */
pld_status pld_causal_config_read(const pld_causal_rules *rules, const pld_json *top,
                                  pld_causal_config *config, pld_error *error);

/** layer_types, where a configuration has it: which layers slide. */
pld_status pld_causal_layer_types_read(const pld_json *top, pld_causal_config *config, pld_error *error);

/** facts and build of pld_text_encoder_class; texts have any number of tokens, which all count. */
void pld_causal_facts(const void *config, pld_text_encoder_facts *facts);
pld_status pld_causal_build(const pld_causal_rules *rules, const pld_causal_config *config, pld_plan *plan,
                            const pld_text_request *request, pld_text_values *values, pld_error *error);

/** The config.json of weights under transformers' names without "model.". `head_size` 0: q_norm's length. `further`: fields
 * that shapes do not tell, an object's JSON. */
pld_status pld_causal_describe(const pld_causal_rules *rules, const pld_description *description,
                               int64_t head_size, const char *further, json_t **config, pld_error *error);

/** Names of transformers, which files have behind several prefixes. */
extern const pld_name_rule pld_causal_names[];

/** Those of llama.cpp's GGUF files. */
extern const pld_name_rule pld_causal_gguf_names[];

/** How files hold such an encoder behind a prefix: under transformers' names, and told by a tensor. */
#define PLD_CAUSAL_LAYOUT(prefix_, mark_)                                                                    \
    {                                                                                                        \
        .part = "text_encoder", .naming = "transformers", .prefix = (prefix_), .names = pld_causal_names,    \
        .mark = (mark_)                                                                                      \
    }

/** A language model's last layer, which no encoder needs. */
extern const char *const pld_causal_unused[];

#endif
