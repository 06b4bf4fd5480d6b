/* SPDX-License-Identifier: Apache-2.0 */
/** Tables that are added: weights, constants of the plan, T5's biases of logits. */
#include <math.h>
#include <string.h>

#include "backends/cpu/operators.h"
#include "core/memory.h"

static pld_status prepare_table(pld_executable *e, const pld_operator *op, pld_error *error) {
    return pld_cpu_keep_weight(e, op, op->table, error);
}

static pld_status run_add_table(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *in = pld_value_at(e, op->in), *out = pld_value_at(e, op->out);
    const size_t channels = (size_t)out->channels, floats = pld_item_floats(out);
    const size_t step =
        (size_t)in->channels == channels ? 0 : channels; /* one row for all, or each its own */
    const float *table = pld_cpu_operator_of(e, op)->weight;
    for (size_t b = 0; b < (size_t)out->batch; b++) {
        const float *x = pld_cpu_data(e, op->in) + b * (size_t)in->channels;
        float *rows = pld_cpu_data(e, op->out) + b * floats;
        for (size_t row = 0; row < pld_value_tokens(out); row++) {
            pld_cpu_kernels(e)->add(x + row * step, table + row * channels, channels, rows + row * channels);
        }
    }
    return PLD_OK;
}

static pld_status run_pad_tokens(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *in = pld_value_at(e, op->in), *out = pld_value_at(e, op->out);
    const size_t channels = (size_t)out->channels, own = pld_item_floats(in), floats = pld_item_floats(out);
    const float *learned = pld_cpu_operator_of(e, op)->weight;
    for (size_t b = 0; b < (size_t)out->batch; b++) {
        float *rows = pld_cpu_data(e, op->out) + b * floats;
        memcpy(rows, pld_cpu_data(e, op->in) + b * own, own * sizeof *rows);
        for (size_t at = own; at < floats; at += channels) {
            memcpy(rows + at, learned, channels * sizeof *rows);
        }
    }
    return PLD_OK;
}

pld_status pld_cpu_make_constant(pld_executable *e, int constant, const char *name, pld_error *error) {
    const pld_constant *wanted = &e->plan->constants[constant];
    float **table = &pld_cpu_plan_of(e)->constants[constant];
    if (*table) {
        return PLD_OK;
    }
    *table = pld_allocate_aligned(wanted->floats, sizeof **table);
    if (!*table) {
        return pld_fail_memory(error, wanted->floats * sizeof **table, name);
    }
    wanted->fill(wanted->description, *table);
    return PLD_OK;
}

static pld_status prepare_constant(pld_executable *e, const pld_operator *op, pld_error *error) {
    return pld_cpu_make_constant(e, op->constant, op->name, error);
}

/** out [B, T, C] += a table [T, C], of the tokens from `begin` on. */
static void add_rows(const pld_token_task *task, const float *table, size_t begin, size_t end) {
    const pld_value *x = pld_value_at(task->e, task->op->out);
    const size_t tokens = pld_value_tokens(x), channels = (size_t)x->channels;
    for (size_t token = begin; token < end; token++) {
        float *row = pld_cpu_token(task, task->op->out, token);
        pld_cpu_kernels(task->e)->add(row, table + token % tokens * channels, channels, row);
    }
}

static void add_constant_tokens(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const pld_token_task *task = context;
    add_rows(task, pld_cpu_plan_of(task->e)->constants[task->op->constant], begin, end);
}

static pld_status run_add_constant(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    pld_cpu_over_tokens(e, op, op->in, add_constant_tokens);
    return PLD_OK;
}

/** What pack_middle needs to know. */
typedef struct middle_request {
    int64_t side, height, width, channels;
} middle_request;

/** packed [height, width, channels] */
static pld_status pack_middle(const void *context, const pld_weight_reader *reader,
                              const pld_weight_reader *partner, void *packed, pld_error *error) {
    (void)partner;
    const middle_request *m = context;
    const int64_t top = (m->side - m->height) / 2, left = (m->side - m->width) / 2;
    const size_t row = (size_t)(m->width * m->channels);
    for (int64_t y = 0; y < m->height; y++) {
        const int64_t first = ((top + y) * m->side + left) * m->channels;
        PLD_TRY(pld_weight_reader_read(reader, (size_t)first, row, (float *)packed + (size_t)y * row, error));
    }
    return PLD_OK;
}

/** Of the table, which is many times as large as a picture, only what the picture takes is read and kept. */
static pld_status prepare_middle(pld_executable *e, const pld_operator *op, pld_error *error) {
    const pld_value *x = pld_value_at(e, op->out);
    const middle_request request = {op->square.side, x->height, x->width, x->channels};
    const pld_packing packing = {.layout = &request,
                                 .layout_size = sizeof request,
                                 .bytes = pld_item_floats(x) * sizeof(float),
                                 .pack = pack_middle,
                                 .context = &request};
    return pld_parameter_packed(op->square.weight, &packing, &pld_cpu_operator_of(e, op)->packed, error);
}

static void add_middle_tokens(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const pld_token_task *task = context;
    add_rows(task, pld_cpu_operator_of(task->e, task->op)->packed.data, begin, end);
}

static pld_status run_add_middle(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    pld_cpu_over_tokens(e, op, op->out, add_middle_tokens);
    return PLD_OK;
}

static pld_status prepare_relative_bias(pld_executable *e, const pld_operator *op, pld_error *error) {
    return pld_cpu_keep_weight(e, op, op->positions.weight, error);
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

static pld_status run_relative_bias(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *out = pld_value_at(e, op->out);
    const int64_t heads = out->height, distances = out->channels, tokens = (distances + 1) / 2;
    const float *weight = pld_cpu_operator_of(e, op)->weight;
    float *table = pld_cpu_data(e, op->out);
    for (int64_t i = 0; i < distances; i++) {
        const int64_t bucket =
            bucket_of(i - (tokens - 1), op->positions.buckets, op->positions.most_distance);
        for (int64_t head = 0; head < heads; head++) {
            table[head * distances + i] = weight[bucket * heads + head];
        }
    }
    return PLD_OK;
}

const pld_operator_code pld_cpu_add_table = {prepare_table, NULL, run_add_table};
const pld_operator_code pld_cpu_add_middle = {prepare_middle, NULL, run_add_middle};
const pld_operator_code pld_cpu_pad_tokens = {prepare_table, NULL, run_pad_tokens};
const pld_operator_code pld_cpu_add_constant = {prepare_constant, NULL, run_add_constant};
const pld_operator_code pld_cpu_relative_bias = {prepare_relative_bias, NULL, run_relative_bias};
