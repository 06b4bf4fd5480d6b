/* SPDX-License-Identifier: Apache-2.0 */
/** Whether the strides of an attention can be meant. */
#ifndef PLD_KERNELS_ATTENTION_STRIDES_H
#define PLD_KERNELS_ATTENTION_STRIDES_H

#include "core/status.h"
#include "pladis/attention.h"

/** PLD_ERROR_ARGUMENT naming the field where rows of an operand would lie on each other. On PLD_OK `plain` is
 * the problem with 0 in the place of PLD_STRIDE_SHARED. */
pld_status pld_attention_check_strides(const pld_attention_problem *problem, pld_attention_problem *plain,
                                       pld_error *error);

#endif
