/* SPDX-License-Identifier: Apache-2.0 */
/** Group norm over each picture, layer norm over each token. */
#include "core/parallel.h"
#include "kernels/group_norm.h"
#include "nn/operators/operators.h"

static pld_status prepare_norm(pld_run *run, pld_operator *op, pld_error *error) {
    (void)run;
    PLD_TRY(pld_parameter_values(op->weight, &op->weight_values, error));
    return pld_parameter_values(op->bias, &op->bias_values, error);
}

static size_t group_norm_scratch(const pld_run *run, const pld_operator *op) {
    return pld_group_norm_scratch_size(run->plan->values[op->in].channels, op->groups, run->threads);
}

static pld_status run_group_norm(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_plan *plan = run->plan;
    const pld_value *x = &plan->values[op->in];
    const int64_t tokens = x->height * x->width;
    for (int64_t b = 0; b < x->batch; b++) {
        const int64_t start = b * tokens * x->channels;
        pld_group_norm_problem problem = {.x = pld_plan_data(plan, op->in) + start,
                                          .out = pld_plan_data(plan, op->out) + start,
                                          .tokens = tokens,
                                          .channels = x->channels,
                                          .groups = op->groups,
                                          .epsilon = op->epsilon,
                                          .weight = op->weight_values,
                                          .bias = op->bias_values,
                                          .silu = op->silu};
        pld_group_norm(run->kernels, &problem, pld_threads_for(run, (size_t)(tokens * x->channels)),
                       plan->scratch);
    }
    return PLD_OK;
}

typedef struct rows_task {
    const pld_run *run;
    const pld_operator *op;
} rows_task;

static void layer_norm_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const rows_task *task = context;
    const pld_plan *plan = task->run->plan;
    const pld_operator *op = task->op;
    const int64_t channels = plan->values[op->in].channels;
    const size_t start = begin * (size_t)channels;
    task->run->kernels->layer_norm(pld_plan_data(plan, op->in) + start, (int64_t)(end - begin), channels,
                                   op->epsilon, op->weight_values, op->bias_values,
                                   pld_plan_data(plan, op->out) + start);
}

static pld_status run_layer_norm(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *x = &run->plan->values[op->in];
    rows_task task = {run, op};
    const size_t rows = (size_t)(x->batch * x->height * x->width);
    pld_parallel_for(pld_threads_for(run, rows * (size_t)x->channels), rows, layer_norm_rows, &task);
    return PLD_OK;
}

const pld_operator_kind pld_operator_group_norm = {"group_norm", prepare_norm, group_norm_scratch,
                                                   run_group_norm};
const pld_operator_kind pld_operator_layer_norm = {"layer_norm", prepare_norm, NULL, run_layer_norm};
