/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLD_TESTS_CAUSAL_TEXTS_H
#define PLD_TESTS_CAUSAL_TEXTS_H

#include "network.h"

/** Compare the texts of a case: rows of `input_ids` under `attention_mask`, or one after the other `input_ids.0`, …, and
 * `long.input_ids`. Every state that the case has is compared, and those of several layers side by side;
 * with `filled` of the rows of padding, too. */
void compare_causal_texts(const parity_case *c, const network *n, bool filled, double tolerance);

#endif
