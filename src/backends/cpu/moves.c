/* SPDX-License-Identifier: Apache-2.0 */
/** Operators that move numbers: joins, copies, parts, patches, enlarging, taps. */
#include <string.h>

#include "backends/cpu/operators.h"
#include "core/parallel.h"

static void concat_tokens(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const pld_token_task *task = context;
    const pld_operator *op = task->op;
    const pld_executable *e = task->e;
    pld_cpu_kernels(e)->concat_channels(pld_cpu_token(task, op->in, begin), pld_value_at(e, op->in)->channels,
                                        pld_cpu_token(task, op->second, begin),
                                        pld_value_at(e, op->second)->channels, (int64_t)(end - begin),
                                        pld_cpu_token(task, op->out, begin));
}

/** The channels of in, and zeros behind them. */
static void widen_tokens(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const pld_token_task *task = context;
    const pld_operator *op = task->op;
    const size_t channels = (size_t)pld_value_at(task->e, op->in)->channels;
    const size_t all = (size_t)pld_value_at(task->e, op->out)->channels;
    for (size_t token = begin; token < end; token++) {
        float *out = pld_cpu_token(task, op->out, token);
        memcpy(out, pld_cpu_token(task, op->in, token), channels * sizeof *out);
        memset(out + channels, 0, (all - channels) * sizeof *out);
    }
}

static pld_status run_concat(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    pld_cpu_over_tokens(e, op, op->out, op->second == PLD_NO_VALUE ? widen_tokens : concat_tokens);
    return PLD_OK;
}

/** Items are tokens of out. */
static void join_tokens(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const pld_token_task *task = context;
    const pld_operator *op = task->op;
    const size_t first = pld_value_tokens(pld_value_at(task->e, op->in));
    const size_t second = pld_value_tokens(pld_value_at(task->e, op->second));
    const size_t channels = (size_t)pld_value_at(task->e, op->out)->channels;
    for (size_t token = begin; token < end; token++) {
        const size_t row = token / (first + second), place = token % (first + second);
        const float *from = place < first ? pld_cpu_token(task, op->in, row * first + place)
                                          : pld_cpu_token(task, op->second, row * second + place - first);
        memcpy(pld_cpu_token(task, op->out, token), from, channels * sizeof *from);
    }
}

static pld_status run_concat_tokens(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    pld_cpu_over_tokens(e, op, op->out, join_tokens);
    return PLD_OK;
}

static void copy_tokens(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const pld_token_task *task = context;
    const size_t channels = (size_t)pld_value_at(task->e, task->op->out)->channels;
    memcpy(pld_cpu_token(task, task->op->out, begin), pld_cpu_token(task, task->op->in, begin),
           (end - begin) * channels * sizeof(float));
}

static pld_status run_copy(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    pld_cpu_over_tokens(e, op, op->out, copy_tokens);
    return PLD_OK;
}

/** Items are rows of out. */
static void copy_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const pld_token_task *task = context;
    const pld_operator *op = task->op;
    const pld_value *in = pld_value_at(task->e, op->in), *out = pld_value_at(task->e, op->out);
    const size_t tokens = pld_value_tokens(out);
    for (size_t b = begin; b < end; b++) {
        const size_t from = (size_t)pld_item_for(in, out, (int64_t)b);
        memcpy(pld_cpu_token(task, op->out, b * tokens), pld_cpu_token(task, op->in, from * tokens),
               pld_item_floats(out) * sizeof(float));
    }
}

static pld_status run_copy_rows(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *out = pld_value_at(e, op->out);
    pld_token_task task = {e, op};
    const size_t floats = (size_t)out->batch * pld_item_floats(out);
    pld_parallel_for(pld_cpu_threads_for(e, floats), (size_t)out->batch, copy_rows, &task);
    return PLD_OK;
}

/** Items are rows of out. */
static void join_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const pld_token_task *task = context;
    const pld_operator *op = task->op;
    const pld_value *in = pld_value_at(task->e, op->in), *second = pld_value_at(task->e, op->second);
    const pld_value *out = pld_value_at(task->e, op->out);
    const size_t tokens = pld_value_tokens(out);
    for (size_t b = begin; b < end; b++) {
        const int64_t own = pld_item_for(in, out, (int64_t)b);
        const float *from = own >= 0 ? pld_cpu_token(task, op->in, (size_t)own * tokens)
                                     : pld_cpu_token(task, op->second,
                                                     (size_t)pld_item_for(second, out, (int64_t)b) * tokens);
        memcpy(pld_cpu_token(task, op->out, b * tokens), from, pld_item_floats(out) * sizeof(float));
    }
}

static pld_status run_join_rows(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *out = pld_value_at(e, op->out);
    pld_token_task task = {e, op};
    const size_t floats = (size_t)out->batch * pld_item_floats(out);
    pld_parallel_for(pld_cpu_threads_for(e, floats), (size_t)out->batch, join_rows, &task);
    return PLD_OK;
}

static pld_status run_take(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *in = pld_value_at(e, op->in), *out = pld_value_at(e, op->out);
    for (size_t b = 0; b < (size_t)out->batch; b++) {
        memcpy(pld_cpu_data(e, op->out) + b * pld_item_floats(out),
               pld_cpu_data(e, op->in) + b * pld_item_floats(in) + op->first,
               pld_item_floats(out) * sizeof(float));
    }
    return PLD_OK;
}

static void take_channels(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const pld_token_task *task = context;
    const pld_operator *op = task->op;
    const size_t in = (size_t)pld_value_at(task->e, op->in)->channels;
    const size_t out = (size_t)pld_value_at(task->e, op->out)->channels;
    const float *from = pld_cpu_token(task, op->in, begin) + op->first;
    float *to = pld_cpu_token(task, op->out, begin);
    for (size_t token = begin; token < end; token++, from += in, to += out) {
        memcpy(to, from, out * sizeof *to);
    }
}

static pld_status run_take_channels(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    pld_cpu_over_tokens(e, op, op->out, take_channels);
    return PLD_OK;
}

static pld_status run_upsample(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *in = pld_value_at(e, op->in), *out = pld_value_at(e, op->out);
    for (size_t b = 0; b < (size_t)in->batch; b++) {
        pld_cpu_kernels(e)->upsample_nearest(pld_cpu_data(e, op->in) + b * pld_item_floats(in), in->height,
                                             in->width, in->channels, out->height, out->width,
                                             pld_cpu_data(e, op->out) + b * pld_item_floats(out));
    }
    return PLD_OK;
}

static pld_patch_grid patches_of(const pld_operator *op, const pld_value *picture) {
    return (pld_patch_grid){.channels = picture->channels,
                            .height = picture->height,
                            .width = picture->width,
                            .patch = op->patches.patch,
                            .channels_last = true,
                            .channels_inner = op->patches.channels_inner};
}

static pld_status run_patchify(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *in = pld_value_at(e, op->in);
    const pld_patch_grid patches = patches_of(op, in);
    for (size_t b = 0; b < (size_t)in->batch; b++) {
        pld_cpu_kernels(e)->patchify(&patches, pld_cpu_data(e, op->in) + b * pld_item_floats(in),
                                     pld_cpu_data(e, op->out) + b * pld_item_floats(in));
    }
    return PLD_OK;
}

static pld_status run_unpatchify(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *out = pld_value_at(e, op->out);
    const pld_patch_grid patches = patches_of(op, out);
    for (size_t b = 0; b < (size_t)out->batch; b++) {
        pld_cpu_kernels(e)->unpatchify(&patches, pld_cpu_data(e, op->in) + b * pld_item_floats(out),
                                       pld_cpu_data(e, op->out) + b * pld_item_floats(out));
    }
    return PLD_OK;
}

/** Items are rows of the small picture, of all items of the batch: they follow one another in either picture. */
static void shuffle_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const pld_token_task *task = context;
    const pld_executable *e = task->e;
    const pld_operator *op = task->op;
    const bool opens = op->kind == PLD_OPERATOR_PIXEL_SHUFFLE;
    const pld_value *in = pld_value_at(e, op->in), *out = pld_value_at(e, op->out);
    const pld_value *small = opens ? in : out, *large = opens ? out : in;
    const pld_pixel_grid grid = {.height = (int64_t)(end - begin),
                                 .width = small->width,
                                 .factor = large->width / small->width,
                                 .small_channels = small->channels,
                                 .large_channels = large->channels};
    const size_t in_row = pld_item_floats(in) / (size_t)small->height;
    const size_t out_row = pld_item_floats(out) / (size_t)small->height;
    const float *residual = pld_cpu_data_or_null(e, op->residual);
    (opens ? pld_cpu_kernels(e)->pixel_shuffle : pld_cpu_kernels(e)->pixel_unshuffle)(
        &grid, pld_cpu_data(e, op->in) + begin * in_row, residual ? residual + begin * out_row : NULL,
        pld_cpu_data(e, op->out) + begin * out_row);
}

static pld_status run_shuffle(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *in = pld_value_at(e, op->in), *out = pld_value_at(e, op->out);
    const int64_t height = in->height < out->height ? in->height : out->height;
    pld_token_task task = {e, op};
    pld_parallel_for(pld_cpu_threads_for(e, (size_t)out->batch * pld_item_floats(out)),
                     (size_t)(out->batch * height), shuffle_rows, &task);
    return PLD_OK;
}

static pld_status run_tap(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    if (e->run->tap) {
        e->run->tap(e->run->tap_user, op->name, pld_value_at(e, op->in), pld_cpu_data(e, op->in));
    }
    return PLD_OK;
}

const pld_operator_code pld_cpu_concat = {NULL, NULL, run_concat};
const pld_operator_code pld_cpu_concat_tokens = {NULL, NULL, run_concat_tokens};
const pld_operator_code pld_cpu_copy = {NULL, NULL, run_copy};
const pld_operator_code pld_cpu_copy_rows = {NULL, NULL, run_copy_rows};
const pld_operator_code pld_cpu_join_rows = {NULL, NULL, run_join_rows};
const pld_operator_code pld_cpu_take = {NULL, NULL, run_take};
const pld_operator_code pld_cpu_take_channels = {NULL, NULL, run_take_channels};
const pld_operator_code pld_cpu_pixel_shuffle = {NULL, NULL, run_shuffle};
const pld_operator_code pld_cpu_pixel_unshuffle = {NULL, NULL, run_shuffle};
const pld_operator_code pld_cpu_upsample = {NULL, NULL, run_upsample};
const pld_operator_code pld_cpu_patchify = {NULL, NULL, run_patchify};
const pld_operator_code pld_cpu_unpatchify = {NULL, NULL, run_unpatchify};
const pld_operator_code pld_cpu_tap = {NULL, NULL, run_tap};
