/* SPDX-License-Identifier: Apache-2.0 */
/** Operators of transformers: gates, tables that are added, patches, parts of a value, T5's biases. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "nn/operators/operators.h"

typedef struct item_task {
    const pld_run *run;
    const pld_operator *op;
} item_task;

static size_t tokens_of(const pld_value *value) {
    return (size_t)(value->height * value->width);
}

/** Floats of one item of a value. */
static size_t item_floats(const pld_value *value) {
    return tokens_of(value) * (size_t)value->channels;
}

/** Where the item of `from` stands that goes with item `b` of `to`. */
static int64_t item_for(const pld_value *from, const pld_value *to, int64_t b) {
    return pld_group_of_row(&from->groups, pld_row_of_group(&to->groups, b));
}

const float *pld_slice_at(const pld_run *run, pld_slice slice, const pld_value *of, int64_t b) {
    if (slice.value == PLD_NO_VALUE) {
        return NULL;
    }
    const pld_value *value = &run->plan->values[slice.value];
    return pld_plan_data(run->plan, slice.value) + (size_t)item_for(value, of, b) * item_floats(value) +
           slice.first;
}

int64_t pld_slice_step(const pld_plan *plan, pld_slice slice) {
    if (slice.value == PLD_NO_VALUE || plan->values[slice.value].batch == 1) {
        return 0;
    }
    return (int64_t)item_floats(&plan->values[slice.value]);
}

static void gate_tokens(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    static const pld_gate_kind kinds[] = {
        [PLD_SILU] = PLD_GATE_SILU, [PLD_GELU] = PLD_GATE_GELU, [PLD_GELU_TANH] = PLD_GATE_GELU_TANH};
    const item_task *task = context;
    const pld_plan *plan = task->run->plan;
    const int64_t channels = plan->values[task->op->in].channels;
    float *a = pld_plan_data(plan, task->op->in) + begin * (size_t)channels;
    const float *b = pld_plan_data(plan, task->op->second) + begin * (size_t)channels;
    task->run->kernels->gate(&(pld_gate){.kind = kinds[task->op->activation],
                                         .a = a,
                                         .b = b,
                                         .a_row = channels,
                                         .b_row = channels,
                                         .rows = (int64_t)(end - begin),
                                         .channels = channels,
                                         .out = a,
                                         .out_row = channels});
}

static pld_status run_gate(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *x = &run->plan->values[op->in];
    item_task task = {run, op};
    const size_t tokens = (size_t)x->batch * tokens_of(x);
    pld_parallel_for(pld_threads_for(run, tokens * (size_t)x->channels), tokens, gate_tokens, &task);
    return PLD_OK;
}

/** Tokens of all items of out, which begin and end within an item or go over several. */
static void gated_add_tokens(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const item_task *task = context;
    const pld_run *run = task->run;
    const pld_value *in = &run->plan->values[task->op->in], *out = &run->plan->values[task->op->out];
    const size_t tokens = tokens_of(out), channels = (size_t)out->channels;
    for (size_t at = begin; at < end;) {
        const size_t b = at / tokens, within = at % tokens;
        const size_t count = end - at < tokens - within ? end - at : tokens - within;
        float *sum = pld_plan_data(run->plan, task->op->out) + at * channels;
        const float *x = pld_plan_data(run->plan, task->op->in) +
                         ((size_t)item_for(in, out, (int64_t)b) * tokens + within) * channels;
        run->kernels->gated_add(sum, x, pld_slice_at(run, task->op->gate, out, (int64_t)b), (int64_t)count,
                                out->channels, sum);
        at += count;
    }
}

static pld_status run_gated_add(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *out = &run->plan->values[op->out];
    item_task task = {run, op};
    const size_t tokens = (size_t)out->batch * tokens_of(out);
    pld_parallel_for(pld_threads_for(run, tokens * (size_t)out->channels), tokens, gated_add_tokens, &task);
    return PLD_OK;
}

static pld_status prepare_weight(pld_run *run, pld_operator *op, pld_error *error) {
    (void)run;
    return pld_parameter_values(op->weight, &op->weight_values, error);
}

static pld_status run_add_table(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *in = &run->plan->values[op->in], *out = &run->plan->values[op->out];
    const size_t channels = (size_t)out->channels, floats = item_floats(out);
    const size_t step =
        (size_t)in->channels == channels ? 0 : channels; /* one row for all, or each its own */
    for (int64_t b = 0; b < out->batch; b++) {
        const float *x = pld_plan_data(run->plan, op->in) + (size_t)b * (size_t)in->channels;
        float *rows = pld_plan_data(run->plan, op->out) + (size_t)b * floats;
        for (size_t row = 0; row < tokens_of(out); row++) {
            run->kernels->add(x + row * step, op->weight_values + row * channels, channels,
                              rows + row * channels);
        }
    }
    return PLD_OK;
}

static pld_status prepare_constant(pld_run *run, pld_operator *op, pld_error *error) {
    pld_constant *constant = &run->plan->constants[op->constant];
    if (constant->table) {
        return PLD_OK;
    }
    constant->table = pld_allocate_aligned(constant->floats, sizeof *constant->table);
    if (!constant->table) {
        return pld_fail_memory(error, constant->floats * sizeof *constant->table, op->name);
    }
    constant->fill(constant->description, constant->table);
    return PLD_OK;
}

static void add_constant_tokens(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const item_task *task = context;
    const pld_plan *plan = task->run->plan;
    const pld_value *x = &plan->values[task->op->in];
    const float *table = plan->constants[task->op->constant].table;
    const size_t tokens = tokens_of(x), channels = (size_t)x->channels;
    for (size_t token = begin; token < end; token++) {
        float *row = pld_plan_data(plan, task->op->in) + token * channels;
        task->run->kernels->add(row, table + token % tokens * channels, channels, row);
    }
}

static pld_status run_add_constant(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *x = &run->plan->values[op->in];
    item_task task = {run, op};
    const size_t tokens = (size_t)x->batch * tokens_of(x);
    pld_parallel_for(pld_threads_for(run, tokens * (size_t)x->channels), tokens, add_constant_tokens, &task);
    return PLD_OK;
}

static pld_patch_grid patches_of(const pld_operator *op, const pld_value *picture) {
    return (pld_patch_grid){.channels = picture->channels,
                            .height = picture->height,
                            .width = picture->width,
                            .patch = op->patch,
                            .channels_last = true,
                            .channels_inner = op->channels_inner};
}

static pld_status run_patchify(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *in = &run->plan->values[op->in];
    const pld_patch_grid patches = patches_of(op, in);
    const size_t floats = item_floats(in);
    for (size_t b = 0; b < (size_t)in->batch; b++) {
        run->kernels->patchify(&patches, pld_plan_data(run->plan, op->in) + b * floats,
                               pld_plan_data(run->plan, op->out) + b * floats);
    }
    return PLD_OK;
}

static pld_status run_unpatchify(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *out = &run->plan->values[op->out];
    const pld_patch_grid patches = patches_of(op, out);
    const size_t floats = item_floats(out);
    for (size_t b = 0; b < (size_t)out->batch; b++) {
        run->kernels->unpatchify(&patches, pld_plan_data(run->plan, op->in) + b * floats,
                                 pld_plan_data(run->plan, op->out) + b * floats);
    }
    return PLD_OK;
}

static pld_status run_take(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *in = &run->plan->values[op->in], *out = &run->plan->values[op->out];
    for (size_t b = 0; b < (size_t)out->batch; b++) {
        memcpy(pld_plan_data(run->plan, op->out) + b * item_floats(out),
               pld_plan_data(run->plan, op->in) + b * item_floats(in) + op->offset,
               item_floats(out) * sizeof(float));
    }
    return PLD_OK;
}

/** The bucket of key − query, of text that is read in both directions: half of the buckets for each sign, of which the
 * first half counts one by one and the rest by logarithm (Raffel et al. 2020, arXiv 1910.10683, as transformers computes
 * it, in float32). */
static int64_t bucket_of(int64_t distance, int64_t buckets, int64_t most_distance) {
    const int64_t half = buckets / 2, exact = half / 2, magnitude = distance < 0 ? -distance : distance;
    const int64_t sign = distance > 0 ? half : 0;
    if (magnitude < exact) {
        return sign + magnitude;
    }
    const float share =
        logf((float)magnitude / (float)exact) / (float)log((double)most_distance / (double)exact);
    const int64_t bucket = exact + (int64_t)(share * (float)(half - exact));
    return sign + (bucket < half ? bucket : half - 1);
}

static pld_status run_relative_bias(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *out = &run->plan->values[op->out];
    const int64_t heads = out->height, distances = out->channels, tokens = (distances + 1) / 2;
    float *table = pld_plan_data(run->plan, op->out);
    for (int64_t i = 0; i < distances; i++) {
        const int64_t bucket = bucket_of(i - (tokens - 1), op->groups, op->offset);
        for (int64_t head = 0; head < heads; head++) {
            table[head * distances + i] = op->weight_values[bucket * heads + head];
        }
    }
    return PLD_OK;
}

const pld_operator_kind pld_operator_gate = {"gate", NULL, NULL, run_gate};
const pld_operator_kind pld_operator_gated_add = {"gated_add", NULL, NULL, run_gated_add};
const pld_operator_kind pld_operator_add_table = {"add_table", prepare_weight, NULL, run_add_table};
const pld_operator_kind pld_operator_add_constant = {"add_constant", prepare_constant, NULL,
                                                     run_add_constant};
const pld_operator_kind pld_operator_patchify = {"patchify", NULL, NULL, run_patchify};
const pld_operator_kind pld_operator_unpatchify = {"unpatchify", NULL, NULL, run_unpatchify};
const pld_operator_kind pld_operator_take = {"take", NULL, NULL, run_take};
const pld_operator_kind pld_operator_relative_bias = {"relative_bias", prepare_weight, NULL,
                                                      run_relative_bias};
