/* SPDX-License-Identifier: Apache-2.0 */
/** How the CPU computes attention variants: one attention of one row of the batch, or of several that are equal. */
#ifndef PLD_BACKENDS_CPU_VARIANTS_VARIANT_H
#define PLD_BACKENDS_CPU_VARIANTS_VARIANT_H

#include "backends/cpu/cpu.h"
#include "pladis/attention.h"

/** Buffers of an executable, [tokens, channels] each, made when a variant first needs them. */
enum { PLD_SPARE_ROWS, PLD_SPARE_CONTEXT, PLD_SPARE_QUERY, PLD_SPARE_COUNT };

typedef struct pld_attention_call {
    const pld_executable *executable;
    const pld_operator *op;
    const pld_attention_choice *choice;
    pld_attention_problem problem; /**< sizes, query, key, value; `out` and rows are each pass's own */
    int64_t height, width;         /**< grid of the queries */
    int64_t channels;              /**< heads · head_size */
    void *scratch;                 /**< of the kernels */
    size_t scratch_bytes;
    pld_attention_parallel parallel;
} pld_attention_call;

/** What a variant does. Rows: attention into `out` [queries, channels]. Contexts: both attentions and their combination.
 * Query: point the call at another query (rows may share the plan's); `out` is not used. What it computes
 * depends on the choice, the contexts and the call's query, key and value alone. */
typedef pld_status (*pld_cpu_variant)(pld_attention_call *call, float *out, pld_error *error);

/** [PLD_VARIANT_KINDS], by the kind of the registry's row (nn/attention_variant.h). */
extern const pld_cpu_variant pld_cpu_variants[];

pld_status pld_cpu_tempered(pld_attention_call *call, float *out, pld_error *error);
pld_status pld_cpu_gag(pld_attention_call *call, float *out, pld_error *error);
pld_status pld_cpu_blur(pld_attention_call *call, float *out, pld_error *error);
pld_status pld_cpu_nag(pld_attention_call *call, float *out, pld_error *error);

/** After all rows of a joint attention have their outputs: under NAG the picture of the conditional branch's row and of the
 * negative one's become what both give together. Does nothing where it does not act. */
void pld_cpu_nag_join(const pld_executable *e, const pld_operator *op);

/** Make the buffers that the call's variants need, unless they are there. */
pld_status pld_attention_need_spare(const pld_attention_call *call, pld_error *error);
float *pld_attention_spare(const pld_attention_call *call, int which);

/** Run the kernels once: `problem` with `rows` into `out`. */
pld_status pld_attention_pass(const pld_attention_call *call, pld_attention_rows rows, float *out,
                              pld_error *error);

#endif
