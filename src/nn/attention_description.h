/* SPDX-License-Identifier: Apache-2.0 */
/** One description of every attention. But for the linear kind
 *
 *      z = cap·tanh(scale·query·key / cap) + bias,  out = rows(z)·value
 *
 *  where rows is softmax, or what a variant puts in its place (attention_variant.h). PLADIS acts on attentions to a text:
 *  of kind cross on all keys, of kind joint on the text's columns in the rows of the image. */
#ifndef PLD_NN_ATTENTION_DESCRIPTION_H
#define PLD_NN_ATTENTION_DESCRIPTION_H

#include "nn/value.h"

/** Whose keys an attention reads: the tokens' own, the text's, both in one softmax; or the tokens' own without softmax:
 *
 *      linear    out = relu(query)·Σ relu(key)·value / (relu(query)·Σ relu(key) + 1e-15)
 *
 *  which has no logits, and so none of the numbers below but the heads (Katharopoulos et al. 2020, arXiv 2006.16236). */
typedef enum pld_site_kind { PLD_SITE_SELF, PLD_SITE_CROSS, PLD_SITE_JOINT, PLD_SITE_LINEAR } pld_site_kind;

/** "self", "cross", "joint", "linear" */
const char *pld_site_kind_name(pld_site_kind kind);

/** Start from PLD_ATTENTION. */
typedef struct pld_attention_description {
    pld_site_kind kind;
    pld_value_id query; /**< [B, T, heads·d] */
    pld_value_id key,
        value; /**< [B, keys, key_heads·d]; PLD_NO_VALUE: the next two values from outside, in this order */
    bool
        interleaved; /**< of kind linear: all three are one value [B, T, heads, 3, d] of query, key and value */
    int heads;
    int key_heads;              /**< which divide the heads; 0: as many */
    bool causal;                /**< query i sees the keys 0 … i */
    int64_t window;             /**< with causal: only the last so many of them; 0: all */
    float scale;                /**< of the logits; 0: 1/√d */
    float soft_cap;             /**< 0: none */
    pld_value_id relative_bias; /**< [1, heads, 1, 2·T − 1], by key − query */
    pld_value_id mask;          /**< [B, 1, 1, keys]: where it is 0, the key does not count */
    int64_t valid_keys;         /**< only the first so many count; 0: all */
    int64_t zero_keys; /**< so many more keys of logit 0 and value 0, as padding of a text; not with causal */
    int64_t text_tokens,
        first_text_token; /**< of kind joint: the text's among the keys, which begin or end them */
    int64_t
        image_columns; /**< of kind joint: in a row of the picture, whose tokens the others are; of kind self, where the
                                query's shape does not say it; else 0 */
    int64_t image_padding; /**< so many of the picture's tokens, the last, are none of its places */
} pld_attention_description;

#define PLD_ATTENTION                                                                                        \
    ((pld_attention_description){.query = PLD_NO_VALUE,                                                      \
                                 .key = PLD_NO_VALUE,                                                        \
                                 .value = PLD_NO_VALUE,                                                      \
                                 .relative_bias = PLD_NO_VALUE,                                              \
                                 .mask = PLD_NO_VALUE})

/** What a plan keeps of it. The query is the operator's `in`. */
typedef struct pld_attention_operator {
    pld_attention_description as;
    int site; /**< index into plan->sites */
    int outside; /**< number of the keys among the values from outside, if they come from there; the values' is the next */
} pld_attention_operator;

#endif
