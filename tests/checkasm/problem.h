/* SPDX-License-Identifier: Apache-2.0 */
/** Random attention problems for the checks. */
#ifndef PLD_TESTS_PROBLEM_H
#define PLD_TESTS_PROBLEM_H

#include "kernels/attention.h"

/** Random tensors in guarded memory, with gaps between tokens; logits of standard deviation near 2. */
pld_attention_problem make_problem(int batch, int heads, int head_size, int64_t queries, int64_t keys);

/** Give it a mask with about a third of the keys dead; the last batch row has no live key when `seed` % 3 =
 * 0. */
void mask_problem(pld_attention_problem *problem, int seed);

/** Random keys and values of so many heads, which divide the query heads. */
void group_problem(pld_attention_problem *problem, int key_heads);

/** A random bias for every batch row, head, query and key, with gaps between the rows. */
void bias_problem(pld_attention_problem *problem);

/** Numbers in a dense output [batch, query_count, heads, head_size]. */
size_t problem_count(const pld_attention_problem *problem);

/** Run into the dense `out` with exactly the scratch that was asked for; fails the test on an error. */
void problem_run(const pld_kernels *kernels, const pld_attention_problem *problem, int threads, float *out);

/** Run and compare with the oracle, within the bound of check_attention.c, or of check_attention_bf16.c. The
 * latter rounds the operands of the problem in place, and wants the default scale. */
void check_problem(const pld_kernels *kernels, const char *what, const pld_attention_problem *problem);
void check_problem_bf16(const pld_kernels *kernels, const char *what, const pld_attention_problem *problem);

#endif
