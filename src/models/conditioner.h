/* SPDX-License-Identifier: Apache-2.0 */
/** What the pipeline knows of a conditioner: a network between the text encoders and the denoiser, which makes what the
 *  latter attends to of the former's states [S, source_width] and of the text's ids by a tokenizer of its own [T]:
 *  states [T, width]. */
#ifndef PLD_MODELS_CONDITIONER_H
#define PLD_MODELS_CONDITIONER_H

#include "models/part.h"
#include "nn/build.h"

/** What is known of a conditioner by its configuration. */
typedef struct pld_conditioner_facts {
    int64_t vocabulary;             /**< rows of its embedding */
    int64_t source_width;           /**< of the text encoders' states, side by side */
    const char *source_width_field; /**< of its configuration */
    int64_t width;                  /**< of its own */
    int64_t
        least_tokens; /**< shorter texts are filled up to these with states of zeros, which the denoiser attends to */
} pld_conditioner_facts;

typedef struct pld_conditioner_request {
    int64_t source_tokens; /**< S; 0: the text encoder was given nothing, and its states add nothing */
    int64_t tokens;        /**< T */
} pld_conditioner_request;

typedef struct pld_conditioner_values {
    pld_value_id source; /**< input [1, S, 1, source_width]; PLD_NO_VALUE where S is 0 */
    pld_value_id states; /**< [1, T, 1, width] */
} pld_conditioner_values;

/** Functions of a conditioner; `config` is its class's configuration. */
struct pld_conditioner {
    void (*facts)(const void *config, pld_conditioner_facts *facts);
    /** The ids come with the run. */
    pld_status (*build)(pld_plan *plan, const void *config, const pld_conditioner_request *request,
                        pld_conditioner_values *values, pld_error *error);
};

#endif
