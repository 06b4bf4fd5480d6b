/* SPDX-License-Identifier: Apache-2.0 */
/** Attention at a site: one kernel call for each row of the batch, under the variant of the row's branch. */
#include "kernels/attention.h"

#include "core/memory.h"
#include "core/parallel.h"

#include "nn/operators/operators.h"

/** The problem of batch row `b`. Keys and values lie in the plan, or for cross-attention in the row's
 * context. */
static pld_attention_problem row_problem(const pld_run *run, const pld_operator *op, int64_t b) {
    const pld_plan *plan = run->plan;
    const pld_site *site = &plan->sites[op->site];
    const pld_value *query = &plan->values[op->in];
    const int64_t tokens = query->height * query->width;
    const int64_t width = query->channels;
    pld_attention_problem p;
    pld_attention_problem_init(&p);
    p.heads = op->heads;
    p.head_size = (int)(width / op->heads);
    p.query_count = tokens;
    p.key_count = tokens;
    p.query_token_stride = p.key_token_stride = p.value_token_stride = p.out_token_stride = width;
    p.query_head_stride = p.key_head_stride = p.value_head_stride = p.out_head_stride = p.head_size;
    if (plan->memory) {
        p.query = pld_plan_data(plan, op->in) + b * tokens * width;
        p.out = pld_plan_data(plan, op->out) + b * tokens * width;
    }
    if (site->kind == PLD_SITE_CROSS && run->contexts) {
        p.key_count = run->contexts[b]->tokens;
        p.key = run->contexts[b]->keys[site->cross_index];
        p.value = run->contexts[b]->values[site->cross_index];
    } else if (site->kind == PLD_SITE_SELF && plan->memory) {
        p.key = pld_plan_data(plan, op->key) + b * tokens * width;
        p.value = pld_plan_data(plan, op->value) + b * tokens * width;
    }
    if (run->variants) {
        const pld_attention_choice *choice =
            &run->variants->choices[op->site * PLD_BRANCH_COUNT + (int)run->branch_of_row[b]];
        p.rows = choice->rows;
        p.lambda = choice->lambda;
        p.alpha = choice->alpha;
    }
    return p;
}

/** The most that any variant asks for: scratch is made once, variants change from run to run. */
static size_t attention_scratch(const pld_run *run, const pld_operator *op) {
    pld_attention_problem p = row_problem(run, op, 0);
    if (op->causal) {
        return (size_t)run->threads * (pld_attention_scratch_size_with(run->kernels, &p, 1) + PLD_ALIGNMENT);
    }
    size_t dense = pld_attention_scratch_size_with(run->kernels, &p, run->threads);
    if (run->plan->sites[op->site].kind == PLD_SITE_SELF) {
        return dense;
    }
    p.rows = PLD_ROWS_PLADIS;
    p.lambda = 2; /* any but 0, which is softmax */
    p.alpha = 1.5F;
    for (int64_t b = 0; run->contexts && b < run->plan->values[op->in].batch; b++) {
        p.key_count =
            run->contexts[b]->tokens > p.key_count || b == 0 ? run->contexts[b]->tokens : p.key_count;
    }
    size_t sparse = pld_attention_scratch_size_with(run->kernels, &p, run->threads);
    return sparse > dense ? sparse : dense;
}

/** Causal rows of a text encoder: query i sees keys 0 … i, so each query is a problem of its own. The 77
 * queries of a prompt are few; no kernel of its own is worth it. */
typedef struct causal_task {
    const pld_run *run;
    const pld_attention_problem *whole;
    size_t slot;          /* bytes of scratch of one thread */
    pld_status *statuses; /* [threads] */
} causal_task;

static void causal_queries(void *context, size_t begin, size_t end, int thread) {
    const causal_task *task = context;
    char *scratch = (char *)task->run->plan->scratch + (size_t)thread * task->slot;
    for (size_t i = begin; i < end && task->statuses[thread] == PLD_OK; i++) {
        pld_attention_problem p = *task->whole;
        p.query += (int64_t)i * p.query_token_stride;
        p.out += (int64_t)i * p.out_token_stride;
        p.query_count = 1;
        p.key_count = (int64_t)i + 1;
        task->statuses[thread] = pld_attention_with(task->run->kernels, &p, scratch, task->slot, NULL, NULL);
    }
}

static pld_status run_causal(const pld_run *run, const pld_attention_problem *whole, pld_error *error) {
    enum { MOST_THREADS = 1024 };
    pld_status statuses[MOST_THREADS] = {PLD_OK};
    int threads = run->threads < MOST_THREADS ? run->threads : MOST_THREADS;
    const causal_task task = {
        run, whole, run->plan->scratch_bytes / (size_t)threads / PLD_ALIGNMENT * PLD_ALIGNMENT, statuses};
    pld_parallel_for(threads, (size_t)whole->query_count, causal_queries, (void *)(uintptr_t)&task);
    for (int i = 0; i < threads; i++) {
        if (statuses[i] != PLD_OK) {
            return pld_fail(error, statuses[i], "causal attention: %s", pld_status_text(statuses[i]));
        }
    }
    return PLD_OK;
}

static pld_status run_attention(pld_run *run, pld_operator *op, pld_error *error) {
    const pld_value *query = &run->plan->values[op->in];
    const pld_attention_parallel parallel = {
        .threads = pld_threads_for(run, (size_t)(query->height * query->width * query->channels))};
    for (int64_t b = 0; b < run->plan->values[op->in].batch; b++) {
        pld_attention_problem p = row_problem(run, op, b);
        if (op->causal) {
            PLD_TRY(run_causal(run, &p, error));
        } else {
            PLD_TRY(pld_attention_with(run->kernels, &p, run->plan->scratch, run->plan->scratch_bytes,
                                       &parallel, error));
        }
    }
    return PLD_OK;
}

const pld_operator_kind pld_operator_attention = {"attention", NULL, attention_scratch, run_attention};
