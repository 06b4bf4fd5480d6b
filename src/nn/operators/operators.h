/* SPDX-License-Identifier: Apache-2.0 */
/** The kinds of operators; each stands in the file of its name. */
#ifndef PLD_NN_OPERATORS_H
#define PLD_NN_OPERATORS_H

#include "nn/executor.h"

typedef enum pld_activation { PLD_SILU, PLD_GELU, PLD_GELU_TANH, PLD_QUICK_GELU } pld_activation;

extern const pld_operator_kind pld_operator_linear;     /**< in [.., C] → out [.., N], or out += */
extern const pld_operator_kind pld_operator_conv;       /**< likewise, NHWC */
extern const pld_operator_kind pld_operator_group_norm; /**< over each picture's tokens, SiLU if asked */
extern const pld_operator_kind pld_operator_layer_norm; /**< over channels */
extern const pld_operator_kind pld_operator_activation; /**< out = in, in place */
extern const pld_operator_kind pld_operator_geglu;      /**< [.., 2C] → [.., C] */
extern const pld_operator_kind pld_operator_attention;  /**< in is the query */
extern const pld_operator_kind pld_operator_concat;     /**< channels of in, then of second */
extern const pld_operator_kind pld_operator_upsample;   /**< nearest, to the size of out */
extern const pld_operator_kind pld_operator_copy;       /**< out = in */
extern const pld_operator_kind pld_operator_add_vector; /**< out [B, T, C] += second [B, 1, C] */
extern const pld_operator_kind
    pld_operator_embed; /**< ids → rows of weight (tokens) plus rows of bias (positions) */
extern const pld_operator_kind pld_operator_timestep; /**< timesteps → sinusoids [B, 1, C] */
extern const pld_operator_kind pld_operator_tap;      /**< shows `in` to the observer */

#endif
