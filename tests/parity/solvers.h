/* SPDX-License-Identifier: Apache-2.0 */
/** Tests of parity_denoisers on a denoiser without a pipeline around it. */
#ifndef PLD_TESTS_SOLVERS_H
#define PLD_TESTS_SOLVERS_H

void generations_alone(void **state);
void linear_perturbed(void **state);

#endif
