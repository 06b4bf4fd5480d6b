/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of the attention variants share: one attention of one row of the batch, or of several that
 * are equal. */
#ifndef PLD_NN_VARIANTS_VARIANT_H
#define PLD_NN_VARIANTS_VARIANT_H

#include "nn/executor.h"

/** Buffers of the run, [tokens, channels] each; see pld_run.attention_spare. */
enum { PLD_SPARE_ROWS, PLD_SPARE_CONTEXT, PLD_SPARE_QUERY, PLD_SPARE_COUNT };

struct pld_attention_call {
    const pld_run *run;
    const pld_attention_choice *choice;
    int outside; /**< of a cross-attention: the number of its keys among the values of a context */
    pld_attention_problem problem; /**< sizes, query, key, value; `out` and rows are each pass's own */
    int64_t height, width;         /**< grid of the queries */
    int64_t channels;              /**< heads · head_size */
    pld_attention_parallel parallel;
};

float *pld_attention_spare(const pld_attention_call *call, int which);

/** Run the kernels once: `problem` with `rows` into `out`. */
pld_status pld_attention_pass(const pld_attention_call *call, pld_attention_rows rows, float *out,
                              pld_error *error);

#endif
