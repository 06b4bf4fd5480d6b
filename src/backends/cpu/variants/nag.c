/* SPDX-License-Identifier: Apache-2.0 */
/* Normalised attention guidance (Chen et al. 2025, arXiv 2505.21179). A cross-attention attends to a second context; at a
 * joint attention the negative prompt's tokens go through the network as a row beside the prompt's, and what both rows give
 * their picture becomes one. */
#include <math.h>
#include <string.h>

#include "backends/cpu/operators.h"
#include "backends/cpu/variants/variant.h"
#include "core/parallel.h"

/** One token, all heads, in place: z̃ = s·z⁺ − (s − 1)·z⁻; its L1 norm at most τ times that of z⁺; then
 *  α·ẑ + (1 − α)·z⁺ (eq. 7 to 9). */
static void combine(const pld_attention_choice *choice, const float *negative, int64_t channels,
                    float *positive) {
    const float scale = choice->nag_scale;
    double norm = 0;
    double guided_norm = 0;
    for (int64_t i = 0; i < channels; i++) {
        norm += fabs((double)positive[i]);
        guided_norm += fabs((double)(scale * positive[i] - (scale - 1) * negative[i]));
    }
    const double most = (double)choice->nag_limit * norm;
    const float bound = guided_norm > most ? (float)(most / guided_norm) : 1.0F;
    const float blend = choice->nag_blend;
    for (int64_t i = 0; i < channels; i++) {
        const float guided = (scale * positive[i] - (scale - 1) * negative[i]) * bound;
        positive[i] = blend * guided + (1 - blend) * positive[i];
    }
}

/** Attention to the row's own context and to the negative prompt's, under the entry's rows. Of a joint attention the row's
 * alone: pld_cpu_nag_join has the rest. */
pld_status pld_cpu_nag(pld_attention_call *call, float *out, pld_error *error) {
    const pld_context *negative = call->executable->run->negative_context;
    const int outside = call->op->attention.outside;
    const pld_cpu_variant rows = pld_cpu_variants[call->choice->rows->kind];
    PLD_TRY(rows(call, out, error));
    if (call->op->attention.as.kind == PLD_SITE_JOINT) {
        return PLD_OK;
    }
    float *second = pld_attention_spare(call, PLD_SPARE_CONTEXT);
    pld_attention_call other = *call;
    other.problem.key_count = negative->tokens;
    other.problem.zero_keys = call->op->attention.as.zero_keys + negative->zero_keys;
    other.problem.key = pld_cpu_outside(negative, outside);
    other.problem.value = pld_cpu_outside(negative, outside + 1);
    PLD_TRY(rows(&other, second, error));
    for (int64_t token = 0; token < call->problem.query_count; token++) {
        combine(call->choice, second + token * call->channels, call->channels, out + token * call->channels);
    }
    return PLD_OK;
}

/** Tokens of the picture of both rows. */
typedef struct join_task {
    const pld_attention_choice *choice;
    float *positive, *negative; /* [tokens, channels] */
    int64_t channels;
} join_task;

static void join_tokens(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const join_task *task = context;
    for (size_t token = begin; token < end; token++) {
        float *positive = task->positive + (int64_t)token * task->channels;
        float *negative = task->negative + (int64_t)token * task->channels;
        combine(task->choice, negative, task->channels, positive);
        memcpy(negative, positive, (size_t)task->channels * sizeof *negative);
    }
}

/** The row of the run that is this branch; −1: there is none. */
static int64_t row_of(const pld_run *run, int64_t rows, pld_branch branch) {
    for (int64_t row = 0; row < rows; row++) {
        if (run->branch_of_row[row] == branch) {
            return row;
        }
    }
    return -1;
}

void pld_cpu_nag_join(const pld_executable *e, const pld_operator *op) {
    const pld_run *run = e->run;
    const pld_value *out = pld_value_at(e, op->out);
    const int64_t rows = out->groups.count ? out->groups.rows : out->batch;
    if (op->attention.as.kind != PLD_SITE_JOINT || !run->variants || !run->branch_of_row) {
        return;
    }
    const pld_attention_choice *choice =
        pld_variant_choice(run->variants, (size_t)op->attention.site, PLD_BRANCH_CONDITIONAL);
    const int64_t positive = row_of(run, rows, PLD_BRANCH_CONDITIONAL);
    const int64_t negative = row_of(run, rows, PLD_BRANCH_NEGATIVE);
    if (!choice->contexts || positive < 0 || negative < 0) {
        return;
    }
    const int64_t text = op->attention.as.text_tokens;
    const int64_t tokens = (int64_t)pld_value_tokens(out) - text;
    float *picture =
        pld_cpu_data(e, op->out) + (op->attention.as.first_text_token ? 0 : text * out->channels);
    const int64_t item = (int64_t)pld_item_floats(out);
    join_task task = {choice, picture + pld_group_of_row(&out->groups, positive) * item,
                      picture + pld_group_of_row(&out->groups, negative) * item, out->channels};
    pld_parallel_for(pld_cpu_threads_for(e, (size_t)(tokens * out->channels)), (size_t)tokens, join_tokens,
                     &task);
}
