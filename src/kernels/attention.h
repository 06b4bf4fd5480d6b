/* SPDX-License-Identifier: Apache-2.0 */
/** The public attention with a chosen kernel table, for the engine, tests and benches. */
#ifndef PLD_KERNELS_ATTENTION_H
#define PLD_KERNELS_ATTENTION_H

#include "kernels/kernels.h"
#include "pladis/attention.h"

/** As the functions of the same name in pladis/attention.h, on the kernels given, of structs of our own size. */
size_t pld_attention_scratch_size_with(const pld_kernels *kernels, const pld_attention_problem *problem,
                                       int threads);
pld_status pld_attention_with(const pld_kernels *kernels, const pld_attention_problem *problem, void *scratch,
                              size_t scratch_size, const pld_attention_parallel *parallel, pld_error *error);

#endif
