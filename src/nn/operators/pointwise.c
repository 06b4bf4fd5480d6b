/* SPDX-License-Identifier: Apache-2.0 */
/** Operators that treat every token by itself: activations, concatenation, sums, copies. */
#include <string.h>

#include "core/parallel.h"
#include "nn/operators/operators.h"

typedef struct token_task {
    const pld_run *run;
    const pld_operator *op;
} token_task;

/** Split the tokens of all pictures of the output among the threads. */
static pld_status over_tokens(pld_run *run, const pld_operator *op, pld_parallel_body body) {
    const pld_value *out = &run->plan->values[op->out];
    token_task task = {run, op};
    const size_t tokens = (size_t)(out->batch * out->height * out->width);
    pld_parallel_for(pld_threads_for(run, tokens * (size_t)out->channels), tokens, body, &task);
    return PLD_OK;
}

/** Address of token `token` (over all pictures) of a value. */
static float *token_at(const token_task *task, pld_value_id id, size_t token) {
    return pld_plan_data(task->run->plan, id) + token * (size_t)task->run->plan->values[id].channels;
}

static void activate_tokens(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const token_task *task = context;
    const pld_kernels *k = task->run->kernels;
    void (*const kernels[])(const float *, size_t, float *) = {[PLD_SILU] = k->silu,
                                                               [PLD_GELU] = k->gelu,
                                                               [PLD_GELU_TANH] = k->gelu_tanh,
                                                               [PLD_QUICK_GELU] = k->quick_gelu,
                                                               [PLD_RELU] = k->relu};
    const size_t count = (end - begin) * (size_t)task->run->plan->values[task->op->out].channels;
    kernels[task->op->activation](token_at(task, task->op->in, begin), count,
                                  token_at(task, task->op->out, begin));
}

static pld_status run_activation(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    return over_tokens(run, op, activate_tokens);
}

static void concat_tokens(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const token_task *task = context;
    const pld_operator *op = task->op;
    const pld_value *values = task->run->plan->values;
    task->run->kernels->concat_channels(token_at(task, op->in, begin), values[op->in].channels,
                                        token_at(task, op->second, begin), values[op->second].channels,
                                        (int64_t)(end - begin), token_at(task, op->out, begin));
}

static pld_status run_concat(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    return over_tokens(run, op, concat_tokens);
}

static void copy_tokens(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const token_task *task = context;
    const size_t channels = (size_t)task->run->plan->values[task->op->out].channels;
    memcpy(token_at(task, task->op->out, begin), token_at(task, task->op->in, begin),
           (end - begin) * channels * sizeof(float));
}

static pld_status run_copy(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    return over_tokens(run, op, copy_tokens);
}

/** Items are rows of out. */
static void copy_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const token_task *task = context;
    const pld_value *in = &task->run->plan->values[task->op->in];
    const pld_value *out = &task->run->plan->values[task->op->out];
    const size_t tokens = (size_t)(out->height * out->width);
    for (size_t b = begin; b < end; b++) {
        const int64_t from = pld_group_of_row(&in->groups, pld_row_of_group(&out->groups, (int64_t)b));
        memcpy(token_at(task, task->op->out, b * tokens), token_at(task, task->op->in, (size_t)from * tokens),
               tokens * (size_t)out->channels * sizeof(float));
    }
}

static pld_status run_copy_rows(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *out = &run->plan->values[op->out];
    token_task task = {run, op};
    const size_t floats = (size_t)(out->batch * out->height * out->width * out->channels);
    pld_parallel_for(pld_threads_for(run, floats), (size_t)out->batch, copy_rows, &task);
    return PLD_OK;
}

static pld_status run_upsample(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_plan *plan = run->plan;
    const pld_value *in = &plan->values[op->in];
    const pld_value *out = &plan->values[op->out];
    for (int64_t b = 0; b < in->batch; b++) {
        run->kernels->upsample_nearest(
            pld_plan_data(plan, op->in) + b * in->height * in->width * in->channels, in->height, in->width,
            in->channels, out->height, out->width,
            pld_plan_data(plan, op->out) + b * out->height * out->width * out->channels);
    }
    return PLD_OK;
}

static pld_status run_tap(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    if (run->tap) {
        run->tap(run->tap_user, op->name, &run->plan->values[op->in], pld_plan_data(run->plan, op->in));
    }
    return PLD_OK;
}

const pld_operator_kind pld_operator_activation = {"activation", NULL, NULL, run_activation};
const pld_operator_kind pld_operator_concat = {"concat", NULL, NULL, run_concat};
const pld_operator_kind pld_operator_copy = {"copy", NULL, NULL, run_copy};
const pld_operator_kind pld_operator_copy_rows = {"copy_rows", NULL, NULL, run_copy_rows};
const pld_operator_kind pld_operator_upsample = {"upsample", NULL, NULL, run_upsample};
const pld_operator_kind pld_operator_tap = {"tap", NULL, NULL, run_tap};
