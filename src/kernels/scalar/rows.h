/* SPDX-License-Identifier: Apache-2.0 */
/** One row of logits to unnormalised PLADIS weights. */
#ifndef PLD_KERNELS_SCALAR_ROWS_H
#define PLD_KERNELS_SCALAR_ROWS_H

#include <stdint.h>

/** logits [keys] (−∞: does not count) → weights [keys] whose sum is that of exp(z − max):
 *  (1−λ)·exp(z − max) + λ·sum·entmax(z). Gives max and sum; without a live key max = −∞ and all is 0. */
void pld_scalar_row_weights(const float *logits, int64_t keys, float lambda, float alpha, double *weights,
                            double *max, double *sum);

#endif
