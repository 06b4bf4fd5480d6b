/* SPDX-License-Identifier: Apache-2.0 */
/** Which values of a plan are bfloat16: those that are written once, by an operator that can round, and then
 *  only multiplied by products with bfloat16 operands. They would round them anyhow, each for itself; so the
 *  numbers are the same, and half the memory is written and read. */
#ifndef PLD_BACKENDS_CPU_ROUNDED_VALUES_H
#define PLD_BACKENDS_CPU_ROUNDED_VALUES_H

#include "backends/cpu/cpu.h"

/** Set `rounded` of every value of a plan whose products have their paths. */
void pld_cpu_round_values(pld_executable *executable);

#endif
