/* SPDX-License-Identifier: Apache-2.0 */
/** One product of query and key to its logit, and one row of logits to unnormalised PLADIS weights. */
#ifndef PLD_KERNELS_SCALAR_ROWS_H
#define PLD_KERNELS_SCALAR_ROWS_H

#include <stdint.h>

#include "kernels/kernels.h"

/** unit·scale·q·k of query row `number` and a key → unit times the logit: capped, with its bias; −∞ for a key
 * that does not count. */
float pld_scalar_logit(const pld_attention_tile *tile, int64_t number, int64_t key, double unit,
                       double product);

/** logits [keys] (−∞: does not count) → weights [keys] whose sum is that of exp(z − max):
 *  (1−λ)·exp(z − max) + λ·sum·entmax(z). Gives max and sum; without a live key max = −∞ and all is 0. */
void pld_scalar_row_weights(const float *logits, int64_t keys, float lambda, float alpha, double *weights,
                            double *max, double *sum);

#endif
