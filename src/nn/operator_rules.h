/* SPDX-License-Identifier: Apache-2.0 */
/** The rules that shapes of operators obey: what is wrong with one, or NULL. */
#ifndef PLD_NN_OPERATOR_RULES_H
#define PLD_NN_OPERATOR_RULES_H

#include "nn/plan.h"

const char *pld_product_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_group_norm_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_token_norm_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_rotation_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_same_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_depthwise_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_gate_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_gated_add_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_attention_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_concat_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_concat_tokens_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_pad_tokens_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_upsample_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_copy_rows_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_join_rows_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_take_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_take_channels_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_patches_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_shuffle_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_add_table_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_add_constant_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_add_middle_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_add_outside_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_relative_bias_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_pool_misfit(const pld_plan *plan, const pld_operator *op);
const char *pld_freeu_misfit(const pld_plan *plan, const pld_operator *op);

#endif
