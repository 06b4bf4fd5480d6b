/* SPDX-License-Identifier: Apache-2.0 */
/** What the pipeline knows of a text encoder: ids [B, T] → states [B, T, width], and where it is asked for an embedding of
 *  the whole text [B, 1, projection]. */
#ifndef PLD_MODELS_TEXT_ENCODER_H
#define PLD_MODELS_TEXT_ENCODER_H

#include "models/part.h"
#include "nn/build.h"

/** What is known of a text encoder by its configuration. */
typedef struct pld_text_encoder_facts {
    int64_t vocabulary; /**< rows of its embedding */
    int64_t width;      /**< of its states */
    int64_t layers;
    int64_t
        positions; /**< tokens of a text at the most; every text has as many where positions are embedded */
    int64_t projection; /**< width of the pooled embedding; 0: there is none */
} pld_text_encoder_facts;

/** What is wanted of the network. */
typedef struct pld_text_request {
    int64_t batch, tokens;
    int64_t skip;    /**< layers in front of the end at which the states are taken; 0: all have run */
    bool final_norm; /**< the states go through the final norm; else they are taken as they are */
    bool
        plain_pooled; /**< of a projecting class: weights without the projection mean none, where widths allow it */
    bool pooled; /**< also the pooled and projected embedding; it always comes from all layers */
    /** Of causal encoders: [state_count] so many layers have run where states are taken, ascending. They stand beside each
     * other, without a final norm, and skip does not count. NULL: the last alone. */
    const int64_t *states_after;
    int state_count;
    int64_t
        live; /**< of causal encoders: only the first so many tokens are keys, those behind them padding; 0: all are */
} pld_text_request;

/** Values of the network that can be read after a run. */
typedef struct pld_text_values {
    pld_value_id states; /**< [B, T, width], or times state_count */
    pld_value_id pooled; /**< [B, 1, projection]; PLD_NO_VALUE unless asked for */
} pld_text_values;

/** Functions of a text encoder; `config` is its class's configuration. */
struct pld_text_encoder_class {
    void (*facts)(const void *config, pld_text_encoder_facts *facts);
    pld_status (*build)(pld_plan *plan, const void *config, const pld_text_request *request,
                        pld_text_values *values, pld_error *error);
};

#endif
