/* SPDX-License-Identifier: Apache-2.0 */
/** Which values of a plan are bfloat16: those that are written once, by an operator that can round, and then
 *  only multiplied by products with bfloat16 operands. They would round them anyhow, each for itself; so the
 *  numbers are the same, and half the memory is written and read. */
#ifndef PLD_NN_ROUNDED_VALUES_H
#define PLD_NN_ROUNDED_VALUES_H

#include "nn/plan.h"

/** Set `rounded` of every value of a plan whose products have their paths. */
void pld_plan_round_values(pld_plan *plan);

#endif
