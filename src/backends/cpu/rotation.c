/* SPDX-License-Identifier: Apache-2.0 */
/** Queries and keys on their way to attention: norms of heads and rotary positions. */
#include "backends/cpu/operators.h"

static pld_status prepare_rotation(pld_executable *e, const pld_operator *op, pld_error *error) {
    const pld_rotation *r = &op->rotation;
    if (r->width > PLD_MOST_ROTATED) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED, "'%s': %lld numbers of a head turn, at most %d can",
                        op->name, (long long)r->width, PLD_MOST_ROTATED);
    }
    PLD_TRY(pld_cpu_keep_weight(e, op, r->weight, error));
    return r->width > 0 ? pld_cpu_make_constant(e, r->constant, op->name, error) : PLD_OK;
}

/** Tokens of all items, of which each begins with the first angle. */
static void rotate_tokens(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    static const pld_head_norm norms[] = {[PLD_HEADS_NORM_NONE] = PLD_HEAD_NORM_NONE,
                                          [PLD_HEADS_NORM_EACH] = PLD_HEAD_NORM_EACH,
                                          [PLD_HEADS_NORM_ALL] = PLD_HEAD_NORM_ALL};
    const pld_token_task *task = context;
    const pld_executable *e = task->e;
    const pld_rotation *r = &task->op->rotation;
    const pld_value *x = pld_value_at(e, task->op->in);
    const size_t tokens = pld_value_tokens(x), half = (size_t)r->width / 2;
    const float *cosines = r->width > 0 ? pld_cpu_plan_of(e)->constants[r->constant] : NULL;
    for (size_t at = begin; at < end;) {
        const size_t within = at % tokens;
        const size_t count = end - at < tokens - within ? end - at : tokens - within;
        float *rows = pld_cpu_token(task, task->op->in, at);
        pld_cpu_kernels(e)->rotate_heads(
            &(pld_head_rotation){.x = rows,
                                 .out = rows,
                                 .x_row = x->channels,
                                 .out_row = x->channels,
                                 .tokens = (int64_t)count,
                                 .heads = r->heads,
                                 .head_size = (int)(x->channels / r->heads),
                                 .norm = norms[r->norm],
                                 .weight = pld_cpu_operator_of(e, task->op)->weight,
                                 .epsilon = r->epsilon,
                                 .width = (int)r->width,
                                 .halves = r->halves,
                                 .cos = cosines ? cosines + within * half : NULL,
                                 .sin = cosines ? cosines + (tokens + within) * half : NULL});
        at += count;
    }
}

static pld_status run_rotation(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    pld_cpu_over_tokens(e, op, op->in, rotate_tokens);
    return PLD_OK;
}

const pld_operator_code pld_cpu_rotation = {prepare_rotation, NULL, run_rotation};
