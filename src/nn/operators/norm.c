/* SPDX-License-Identifier: Apache-2.0 */
/** Group norm over each picture, layer norm over each token. */
#include "core/parallel.h"
#include "kernels/group_norm.h"
#include "kernels/pairs.h"
#include "nn/operators/operators.h"

static pld_status prepare_norm(pld_run *run, pld_operator *op, pld_error *error) {
    (void)run;
    PLD_TRY(op->weight ? pld_parameter_values(op->weight, &op->weight_values, error) : PLD_OK);
    return op->bias ? pld_parameter_values(op->bias, &op->bias_values, error) : PLD_OK;
}

static size_t group_norm_scratch(const pld_run *run, const pld_operator *op) {
    return pld_group_norm_scratch_size(run->plan->values[op->in].channels, op->groups, run->threads);
}

/** The norm of picture b. Its output is not looked at when only the factors are wanted. */
static pld_group_norm_problem group_norm_of(const pld_run *run, const pld_operator *op, int64_t b) {
    const pld_plan *plan = run->plan;
    const pld_value *x = &plan->values[op->in];
    const int64_t tokens = x->height * x->width;
    return (pld_group_norm_problem){.x = pld_plan_data(plan, op->in) + b * tokens * x->channels,
                                    .tokens = tokens,
                                    .channels = x->channels,
                                    .groups = op->groups,
                                    .epsilon = op->epsilon,
                                    .weight = op->weight_values,
                                    .bias = op->bias_values,
                                    .silu = op->silu};
}

static pld_status run_group_norm(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_plan *plan = run->plan;
    const pld_value *x = &plan->values[op->in];
    const size_t floats = (size_t)(x->height * x->width * x->channels);
    for (int64_t b = 0; b < x->batch; b++) {
        pld_group_norm_problem problem = group_norm_of(run, op, b);
        problem.out = pld_plan_data(plan, op->out) + (size_t)b * floats;
        pld_group_norm(run->kernels, &problem, pld_threads_for(run, floats), plan->scratch);
    }
    return PLD_OK;
}

static pld_status run_group_norm_factors(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_plan *plan = run->plan;
    const pld_value *x = &plan->values[op->in];
    const int64_t tokens = x->height * x->width;
    for (int64_t b = 0; b < x->batch; b++) {
        const pld_group_norm_problem problem = group_norm_of(run, op, b);
        float *factors = pld_plan_data(plan, op->out) + b * 2 * x->channels;
        pld_group_norm_affine(run->kernels, &problem, pld_threads_for(run, (size_t)(tokens * x->channels)),
                              plan->scratch, factors, factors + x->channels);
    }
    return PLD_OK;
}

typedef struct rows_task {
    const pld_run *run;
    const pld_operator *op;
} rows_task;

/** Rows that are rounded at a time. */
enum { ROUNDED_ROWS = 8 };

/** The norm of some rows of item `b` of the output. */
static void norm_rows(const rows_task *task, int64_t b, const float *x, int64_t rows, float *out) {
    const pld_kernels *k = task->run->kernels;
    const pld_operator *op = task->op;
    const pld_value *value = &task->run->plan->values[op->out];
    const float *scale = pld_slice_at(task->run, op->scale, value, b);
    const float *shift = pld_slice_at(task->run, op->shift, value, b);
    if (op->kind == &pld_operator_rms_norm) {
        k->rms_norm(x, rows, value->channels, op->epsilon, op->weight_values, out);
    } else if (scale) {
        k->layer_norm_modulated(x, rows, value->channels, op->epsilon, scale, shift, out);
    } else {
        k->layer_norm(x, rows, value->channels, op->epsilon, op->weight_values, op->bias_values, out);
    }
}

/** Rows of one item; pairs of bfloat16 by way of a room of the thread's. */
static void norm_item_rows(const rows_task *task, int64_t b, int64_t begin, int64_t end, int thread) {
    const pld_plan *plan = task->run->plan;
    const pld_operator *op = task->op;
    const int64_t channels = plan->values[op->in].channels;
    const float *in = pld_plan_data(plan, op->in);
    float *out = pld_plan_data(plan, op->out);
    if (!plan->values[op->out].rounded) {
        norm_rows(task, b, in + begin * channels, end - begin, out + begin * channels);
        return;
    }
    float *room = (float *)plan->scratch + (int64_t)thread * ROUNDED_ROWS * channels;
    uint32_t *pairs = (uint32_t *)(void *)out;
    for (int64_t row = begin; row < end; row += ROUNDED_ROWS) {
        const int64_t rows = end - row < ROUNDED_ROWS ? end - row : ROUNDED_ROWS;
        norm_rows(task, b, in + row * channels, rows, room);
        pld_pairs_round(task->run->kernels, room, rows * channels, pairs + row * pld_pair_count(channels));
    }
}

static void token_norm_rows(void *context, size_t begin, size_t end, int thread) {
    const rows_task *task = context;
    const pld_value *out = &task->run->plan->values[task->op->out];
    const int64_t tokens = out->height * out->width;
    for (int64_t row = (int64_t)begin; row < (int64_t)end;) {
        const int64_t b = row / tokens, last = (b + 1) * tokens;
        const int64_t stop = last < (int64_t)end ? last : (int64_t)end;
        norm_item_rows(task, b, row, stop, thread);
        row = stop;
    }
}

static size_t token_norm_scratch(const pld_run *run, const pld_operator *op) {
    const pld_value *out = &run->plan->values[op->out];
    return out->rounded ? sizeof(float) * (size_t)(out->channels * ROUNDED_ROWS * run->threads) : 0;
}

static pld_status run_token_norm(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *x = &run->plan->values[op->in];
    rows_task task = {run, op};
    const size_t rows = (size_t)(x->batch * x->height * x->width);
    pld_parallel_for(pld_threads_for(run, rows * (size_t)x->channels), rows, token_norm_rows, &task);
    return PLD_OK;
}

const pld_operator_kind pld_operator_group_norm = {"group_norm", prepare_norm, group_norm_scratch,
                                                   run_group_norm};
const pld_operator_kind pld_operator_group_norm_factors = {"group_norm", prepare_norm, group_norm_scratch,
                                                           run_group_norm_factors};
const pld_operator_kind pld_operator_layer_norm = {"layer_norm", prepare_norm, token_norm_scratch,
                                                   run_token_norm};
const pld_operator_kind pld_operator_rms_norm = {"rms_norm", prepare_norm, token_norm_scratch,
                                                 run_token_norm};
