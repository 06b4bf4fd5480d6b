/* SPDX-License-Identifier: Apache-2.0 */
/** Attention by definition, in double: maps stored, thresholds bisected. Shares nothing with the kernels. */
#ifndef PLD_TESTS_ORACLE_H
#define PLD_TESTS_ORACLE_H

#include "pladis/attention.h"

/** logits [keys] (−∞: does not count) → (1−λ)·softmax + λ·α-entmax [keys]; zeros when no key counts. */
void oracle_weights(const double *logits, int64_t keys, double lambda, double alpha, double *weights);

/** The whole problem into a dense [batch, query_count, heads, head_size]. */
void oracle_attention(const pld_attention_problem *problem, double *out);

#endif
