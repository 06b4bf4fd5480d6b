/* SPDX-License-Identifier: Apache-2.0 */
/** Operators that treat every number by itself: activations, gates, gated sums. */
#include "backends/cpu/operators.h"

void (*pld_cpu_activation_kernel(const pld_kernels *k, pld_activation activation))(const float *, size_t,
                                                                                   float *) {
    void (*const kernels[])(const float *, size_t, float *) = {[PLD_SILU] = k->silu,
                                                               [PLD_GELU] = k->gelu,
                                                               [PLD_GELU_TANH] = k->gelu_tanh,
                                                               [PLD_QUICK_GELU] = k->quick_gelu,
                                                               [PLD_RELU] = k->relu};
    return kernels[activation];
}

static void activate_tokens(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const pld_token_task *task = context;
    const pld_operator *op = task->op;
    const size_t count = (end - begin) * (size_t)pld_value_at(task->e, op->out)->channels;
    pld_cpu_activation_kernel(pld_cpu_kernels(task->e), op->activation)(
        pld_cpu_token(task, op->in, begin), count, pld_cpu_token(task, op->out, begin));
}

static pld_status run_activation(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    pld_cpu_over_tokens(e, op, op->out, activate_tokens);
    return PLD_OK;
}

static pld_status prepare_gate(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)e;
    pld_gate_kind kind;
    return pld_cpu_gate_kind(op->gate.activation, op->name, &kind, error);
}

static void gate_tokens(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const pld_token_task *task = context;
    const pld_operator *op = task->op;
    const int64_t channels = pld_value_at(task->e, op->in)->channels;
    pld_gate gate = {.a = pld_cpu_token(task, op->in, begin),
                     .b = pld_cpu_token(task, op->gate.second, begin),
                     .a_row = channels,
                     .b_row = channels,
                     .rows = (int64_t)(end - begin),
                     .channels = channels,
                     .out = pld_cpu_token(task, op->out, begin),
                     .out_row = channels};
    (void)pld_cpu_gate_kind(op->gate.activation, op->name, &gate.kind, NULL); /* preparing has asked */
    pld_cpu_kernels(task->e)->gate(&gate);
}

static pld_status run_gate(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    pld_cpu_over_tokens(e, op, op->in, gate_tokens);
    return PLD_OK;
}

/** Tokens of all items of out, which begin and end within an item or go over several. */
static void gated_add_tokens(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const pld_token_task *task = context;
    const pld_executable *e = task->e;
    const pld_operator *op = task->op;
    const pld_value *in = pld_value_at(e, op->in), *out = pld_value_at(e, op->out);
    const size_t tokens = pld_value_tokens(out);
    for (size_t at = begin; at < end;) {
        const size_t b = at / tokens, within = at % tokens;
        const size_t count = end - at < tokens - within ? end - at : tokens - within;
        float *sum = pld_cpu_token(task, op->out, at);
        const float *x =
            pld_cpu_token(task, op->in, (size_t)pld_item_for(in, out, (int64_t)b) * tokens + within);
        pld_cpu_kernels(e)->gated_add(sum, x, pld_slice_at(e, op->gated, out, (int64_t)b), (int64_t)count,
                                      out->channels, sum);
        at += count;
    }
}

static pld_status run_gated_add(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    pld_cpu_over_tokens(e, op, op->out, gated_add_tokens);
    return PLD_OK;
}

const pld_operator_code pld_cpu_activation = {NULL, NULL, run_activation};
const pld_operator_code pld_cpu_gate = {prepare_gate, NULL, run_gate};
const pld_operator_code pld_cpu_gated_add = {NULL, NULL, run_gated_add};
