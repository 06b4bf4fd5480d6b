/* SPDX-License-Identifier: Apache-2.0 */
/** Tests of parity_guidance. */
#ifndef PLD_TESTS_GUIDANCE_H
#define PLD_TESTS_GUIDANCE_H

#include "drawing.h"

/** What the head of a table of cases says of all its rows: prompts, size, steps, seed, and no guidance. */
void guidance_options(const json_t *head, pld_generate_options *o);

void neutral_values_change_nothing(void **state);
void defaults_act(void **state);
void refusals_of_guidance(void **state);

#endif
