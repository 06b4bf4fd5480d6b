/* SPDX-License-Identifier: Apache-2.0 */
/** Code of the kinds of operators; each stands in the file that backend.c names beside it. */
#ifndef PLD_BACKENDS_CPU_OPERATORS_H
#define PLD_BACKENDS_CPU_OPERATORS_H

#include "backends/cpu/cpu.h"

extern const pld_operator_code pld_cpu_product;
extern const pld_operator_code pld_cpu_group_norm, pld_cpu_group_norm_factors, pld_cpu_token_norm;
extern const pld_operator_code pld_cpu_rotation, pld_cpu_attention, pld_cpu_linear_attention;
extern const pld_operator_code pld_cpu_depthwise;
extern const pld_operator_code pld_cpu_activation, pld_cpu_gate, pld_cpu_gated_add;
extern const pld_operator_code pld_cpu_concat, pld_cpu_concat_tokens, pld_cpu_upsample, pld_cpu_copy,
    pld_cpu_copy_rows, pld_cpu_join_rows, pld_cpu_take, pld_cpu_take_channels;
extern const pld_operator_code pld_cpu_patchify, pld_cpu_unpatchify;
extern const pld_operator_code pld_cpu_pixel_shuffle, pld_cpu_pixel_unshuffle;
extern const pld_operator_code pld_cpu_embed, pld_cpu_timestep, pld_cpu_pool;
extern const pld_operator_code pld_cpu_add_table, pld_cpu_add_constant, pld_cpu_add_middle,
    pld_cpu_add_outside, pld_cpu_take_outside;
extern const pld_operator_code pld_cpu_pad_tokens;
extern const pld_operator_code pld_cpu_relative_bias, pld_cpu_freeu, pld_cpu_tap;

/** Make a constant of the plan, unless it is there. */
pld_status pld_cpu_make_constant(pld_executable *executable, int constant, const char *name,
                                 pld_error *error);

#endif
