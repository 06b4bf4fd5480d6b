/* SPDX-License-Identifier: Apache-2.0 */
/** "mlp_ratio" of a configuration: how many times a network's width its feed-forward layers are wide. */
#ifndef PLD_MODELS_MLP_RATIO_H
#define PLD_MODELS_MLP_RATIO_H

#include "io/json/read.h"

/** hidden: the whole part of the product of mlp_ratio (4 where it is left out) and `width`, as diffusers takes it; at least
 * 1. PLD_ERROR_FORMAT: it is not a number above 0 and at most 64. */
pld_status pld_mlp_width_read(const pld_json *top, int64_t width, int64_t *hidden, pld_error *error);

#endif
