/* SPDX-License-Identifier: Apache-2.0 */
/** Attention at a site: one kernel call for each row of the batch (or group of equal rows), under the variant
 * of the row's branch. */
#include "kernels/attention.h"

#include <string.h>

#include "nn/operators/operators.h"
#include "nn/variants/variant.h"

/** The problem of item `b` of the output. Keys and values lie in the plan, or for cross-attention in the
 * context of the item's row. */
static pld_attention_problem item_problem(const pld_run *run, const pld_operator *op, int64_t b) {
    const pld_plan *plan = run->plan;
    const pld_site *site = &plan->sites[op->site];
    const pld_value *query = &plan->values[op->in];
    const int64_t row = pld_row_of_group(&plan->values[op->out].groups, b);
    const int64_t from = pld_group_of_row(&query->groups, row);
    const int64_t tokens = query->height * query->width;
    const int64_t width = query->channels;
    pld_attention_problem p;
    pld_attention_problem_init(&p, sizeof p);
    p.heads = op->heads;
    p.head_size = (int)(width / op->heads);
    p.query_count = tokens;
    p.key_count = tokens;
    /* Text keys are few: there float32 costs nothing, and PLADIS magnifies roundings of logits. */
    p.bf16 = run->settings.bf16 && site->kind == PLD_SITE_SELF;
    p.causal = op->causal;
    p.scale = op->logit_scale;
    p.query_token_stride = p.key_token_stride = p.value_token_stride = p.out_token_stride = width;
    p.query_head_stride = p.key_head_stride = p.value_head_stride = p.out_head_stride = p.head_size;
    if (plan->memory) {
        p.query = pld_plan_data(plan, op->in) + from * tokens * width;
        p.out = pld_plan_data(plan, op->out) + b * tokens * width;
    }
    if (site->kind == PLD_SITE_CROSS && run->contexts) {
        p.key_count = run->contexts[row]->tokens;
        p.key = run->contexts[row]->outside[op->outside];
        p.value = run->contexts[row]->outside[op->outside + 1];
    } else if (site->kind == PLD_SITE_SELF && plan->memory) {
        p.key = pld_plan_data(plan, op->key) + from * tokens * width;
        p.value = pld_plan_data(plan, op->value) + from * tokens * width;
    }
    if (op->relative_bias != PLD_NO_VALUE && plan->memory) { /* from the middle of each head's table */
        p.bias_head_stride = 2 * tokens - 1;
        p.bias_query_stride = -1;
        p.bias = pld_plan_data(plan, op->relative_bias) + tokens - 1;
    }
    return p;
}

static pld_branch branch_of(const pld_run *run, int64_t row) {
    return run->branch_of_row ? run->branch_of_row[row] : PLD_BRANCH_CONDITIONAL;
}

/** The most that any variant asks for: scratch is made once, variants change from run to run. */
static size_t attention_scratch(const pld_run *run, const pld_operator *op) {
    pld_attention_problem p = item_problem(run, op, 0);
    size_t dense = pld_attention_scratch_size_with(run->kernels, &p, run->threads);
    if (op->causal) {
        return dense;
    }
    p.rows = PLD_ROWS_PLADIS;
    p.lambda = 2; /* any but 0, which is softmax */
    p.alpha = 1.5F;
    if (run->plan->sites[op->site].kind == PLD_SITE_CROSS) {
        p.key_count = run->context_tokens > 0 ? run->context_tokens : 1;
        const pld_value *out = &run->plan->values[op->out];
        for (int64_t b = 0; run->contexts && b < out->batch; b++) {
            const int64_t tokens = run->contexts[pld_row_of_group(&out->groups, b)]->tokens;
            p.key_count = tokens > p.key_count ? tokens : p.key_count;
        }
    }
    size_t sparse = pld_attention_scratch_size_with(run->kernels, &p, run->threads);
    return sparse > dense ? sparse : dense;
}

/** One output for all queries, as for queries that are all the same. */
static void repeat_first_row(float *out, int64_t tokens, int64_t channels) {
    for (int64_t token = 1; token < tokens; token++) {
        memcpy(out + token * channels, out, (size_t)channels * sizeof *out);
    }
}

/** Show the observer the attention of each row for which item `b` of the output stands. */
static void observe_item(const pld_run *run, const pld_operator *op, int64_t b,
                         const pld_attention_call *call) {
    const pld_row_groups *groups = &run->plan->values[op->out].groups;
    const int64_t first = pld_row_of_group(groups, b);
    for (int64_t row = first; row < (groups->count ? groups->rows : first + 1); row++) {
        if (pld_group_of_row(groups, row) == b) {
            const pld_attention_view view = {(size_t)op->site, branch_of(run, row), call->choice,
                                             &call->problem,   call->height,        call->width};
            run->observe(run->observe_user, &view);
        }
    }
}

/** Item `b` of the output under the entry of its row's branch. */
static pld_status run_item(pld_run *run, const pld_operator *op, int64_t b, pld_error *error) {
    static const pld_attention_choice softmax = {.rows = &pld_variant_softmax};
    const pld_value *query = &run->plan->values[op->in];
    const int64_t tokens = query->height * query->width;
    const pld_branch branch = branch_of(run, pld_row_of_group(&run->plan->values[op->out].groups, b));
    pld_attention_call call = {
        .run = run,
        .choice = run->variants ? pld_variant_choice(run->variants, (size_t)op->site, branch) : &softmax,
        .outside = op->outside,
        .problem = item_problem(run, op, b),
        .height = query->height,
        .width = query->width,
        .channels = query->channels,
        .parallel = {.threads = pld_threads_for(run, (size_t)(tokens * query->channels))}};
    float *out = call.problem.out;
    if (run->observe) {
        observe_item(run, op, b, &call);
    }
    if (call.choice->query) {
        PLD_TRY(call.choice->query->run(&call, NULL, error));
    }
    const pld_attention_variant *outer = call.choice->contexts ? call.choice->contexts : call.choice->rows;
    PLD_TRY(outer->run(&call, out, error));
    if (call.problem.query_count < tokens) {
        repeat_first_row(out, tokens, query->channels);
    }
    return PLD_OK;
}

static pld_status run_attention(pld_run *run, pld_operator *op, pld_error *error) {
    for (int64_t b = 0; b < run->plan->values[op->out].batch; b++) {
        PLD_TRY(run_item(run, op, b, error));
    }
    return PLD_OK;
}

size_t pld_plan_attention_floats(const pld_plan *plan) {
    size_t most = 0;
    for (size_t i = 0; i < plan->operator_count; i++) {
        const pld_operator *op = &plan->operators[i];
        if (op->kind == &pld_operator_attention) {
            const pld_value *query = &plan->values[op->in];
            const size_t floats = (size_t)(query->height * query->width * query->channels);
            most = floats > most ? floats : most;
        }
    }
    return most;
}

const pld_operator_kind pld_operator_attention = {"attention", NULL, attention_scratch, run_attention};
