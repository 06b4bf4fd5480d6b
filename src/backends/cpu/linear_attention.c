/* SPDX-License-Identifier: Apache-2.0 */
/** Self-attention without softmax: sums of each head in place of a map of tokens by tokens. */
#include "kernels/linear_attention.h"

#include <string.h>

#include "backends/cpu/operators.h"

static const float epsilon = 1e-15F; /* diffusers' */

/** Sizes and strides; no addresses. */
static pld_linear_attention problem_of(const pld_executable *e, const pld_operator *op) {
    const pld_value *query = pld_value_at(e, op->in);
    const int heads = op->attention.as.heads;
    const int64_t width = pld_value_at(e, op->out)->channels;
    const int size = (int)(width / heads);
    return (pld_linear_attention){.batch = 1,
                                  .tokens = (int64_t)pld_value_tokens(query),
                                  .heads = heads,
                                  .head_size = size,
                                  .token_stride = query->channels,
                                  .head_stride = op->attention.as.interleaved ? 3L * size : size,
                                  .out_token_stride = width,
                                  .out_head_stride = size,
                                  .epsilon = epsilon};
}

static size_t linear_attention_scratch(const pld_executable *e, const pld_operator *op) {
    const pld_linear_attention problem = problem_of(e, op);
    return pld_linear_attention_scratch(&problem, pld_cpu_threads(e));
}

/** PAG's perturbed branch lets every token attend to itself alone. */
static bool is_identity(const pld_executable *e, const pld_operator *op, int64_t row) {
    const pld_run *run = e->run;
    const pld_branch branch = run->branch_of_row ? run->branch_of_row[row] : PLD_BRANCH_CONDITIONAL;
    return run->variants && pld_variant_choice(run->variants, (size_t)op->attention.site, branch)->rows ==
                                &pld_variant_identity;
}

static pld_status run_linear_attention(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *query = pld_value_at(e, op->in), *out = pld_value_at(e, op->out);
    const size_t floats = pld_item_floats(out), step = pld_item_floats(query);
    const bool interleaved = op->attention.as.interleaved;
    pld_linear_attention problem = problem_of(e, op);
    for (int64_t b = 0; b < out->batch; b++) {
        const int64_t row = pld_row_of_group(&out->groups, b);
        const size_t from = (size_t)pld_group_of_row(&query->groups, row) * step;
        problem.query = pld_cpu_data(e, op->in) + from;
        problem.key = pld_cpu_data(e, op->attention.as.key) + from + (interleaved ? problem.head_size : 0);
        problem.value =
            pld_cpu_data(e, op->attention.as.value) + from + (interleaved ? 2 * problem.head_size : 0);
        problem.out = pld_cpu_data(e, op->out) + (size_t)b * floats;
        if (!interleaved && is_identity(e, op, row)) {
            memcpy(problem.out, problem.value, floats * sizeof *problem.out);
        } else {
            pld_linear_attention_run(pld_cpu_kernels(e), &problem, pld_cpu_threads_for(e, floats),
                                     pld_cpu_scratch(e));
        }
    }
    return PLD_OK;
}

const pld_operator_code pld_cpu_linear_attention = {NULL, linear_attention_scratch, run_linear_attention};
