/* SPDX-License-Identifier: Apache-2.0 */
/** Group norm over each picture, layer norm over each token. */
#include <math.h>

#include "backends/cpu/operators.h"
#include "core/memory.h"
#include "kernels/group_norm.h"
#include "kernels/pairs.h"

/** The numbers by which a norm multiplies, from a weight that is stored less one. `context`: how many there are. */
static pld_status read_plus_one(const void *context, const pld_weight_reader *reader,
                                const pld_weight_reader *partner, void *packed, pld_error *error) {
    const size_t channels = *(const size_t *)context;
    float *weight = packed;
    (void)partner;
    PLD_TRY(pld_weight_reader_read(reader, 0, channels, weight, error));
    for (size_t i = 0; i < channels; i++) {
        weight[i] += 1;
    }
    return PLD_OK;
}

static pld_status keep_plus_one(pld_executable *e, const pld_operator *op, pld_error *error) {
    static const char layout[] = "1 + weight";
    pld_cpu_operator *own = pld_cpu_operator_of(e, op);
    const size_t channels = (size_t)pld_value_at(e, op->in)->channels;
    const pld_packing packing = {.layout = layout,
                                 .layout_size = sizeof layout,
                                 .bytes = channels * sizeof(float),
                                 .pack = read_plus_one,
                                 .context = &channels};
    return pld_parameter_packed(op->norm.weight, &packing, &own->packed, error);
}

static pld_status prepare_norm(pld_executable *e, const pld_operator *op, pld_error *error) {
    PLD_TRY(op->norm.plus_one ? keep_plus_one(e, op, error)
                              : pld_cpu_keep_weight(e, op, op->norm.weight, error));
    return pld_cpu_keep_bias(e, op, op->norm.bias, error);
}

static size_t group_norm_scratch(const pld_executable *e, const pld_operator *op) {
    return pld_group_norm_scratch_size(pld_value_at(e, op->in)->channels, op->norm.groups,
                                       pld_cpu_threads(e));
}

/** The norm of picture b. Its output is not looked at when only the factors are wanted. */
static pld_group_norm_problem group_norm_of(const pld_executable *e, const pld_operator *op, int64_t b) {
    const pld_value *x = pld_value_at(e, op->in);
    const int64_t tokens = x->height * x->width;
    return (pld_group_norm_problem){.x = pld_cpu_data(e, op->in) + b * tokens * x->channels,
                                    .tokens = tokens,
                                    .channels = x->channels,
                                    .groups = op->norm.groups,
                                    .epsilon = op->norm.epsilon,
                                    .weight = pld_cpu_operator_of(e, op)->weight,
                                    .bias = pld_cpu_operator_of(e, op)->bias,
                                    .silu = op->norm.silu};
}

static pld_status run_group_norm(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *x = pld_value_at(e, op->in);
    const size_t floats = (size_t)(x->height * x->width * x->channels);
    for (int64_t b = 0; b < x->batch; b++) {
        pld_group_norm_problem problem = group_norm_of(e, op, b);
        problem.out = pld_cpu_data(e, op->out) + (size_t)b * floats;
        pld_group_norm(pld_cpu_kernels(e), &problem, pld_cpu_threads_for(e, floats), pld_cpu_scratch(e));
    }
    return PLD_OK;
}

static pld_status run_group_norm_factors(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *x = pld_value_at(e, op->in);
    const int64_t tokens = x->height * x->width;
    for (int64_t b = 0; b < x->batch; b++) {
        const pld_group_norm_problem problem = group_norm_of(e, op, b);
        float *factors = pld_cpu_data(e, op->out) + b * 2 * x->channels;
        pld_group_norm_affine(pld_cpu_kernels(e), &problem,
                              pld_cpu_threads_for(e, (size_t)(tokens * x->channels)), pld_cpu_scratch(e),
                              factors, factors + x->channels);
    }
    return PLD_OK;
}

/** Whether what a norm is multiplied by depends on the picture: its factors are computed once for each, before the rows. */
static bool has_factors(const pld_operator *op) {
    const pld_norm *norm = &op->norm;
    return op->kind == PLD_OPERATOR_RMS_NORM
               ? norm->scale.value != PLD_NO_VALUE || norm->gate.value != PLD_NO_VALUE
               : norm->scale.value != PLD_NO_VALUE && norm->shift.value == PLD_NO_VALUE;
}

/** Bytes of the factors [B, C], at the beginning of the scratch. */
static size_t factor_bytes(const pld_executable *e, const pld_operator *op) {
    const pld_value *out = pld_value_at(e, op->out);
    const size_t bytes = (size_t)(out->batch * out->channels) * sizeof(float);
    return has_factors(op) ? (bytes + PLD_ALIGNMENT - 1) / PLD_ALIGNMENT * PLD_ALIGNMENT : 0;
}

/** weight·(1 + scale)·tanh(gate), as far as there are any, of item `b`. */
static void fill_factors(const pld_executable *e, const pld_operator *op, int64_t b, float *factors) {
    const pld_cpu_operator *own = pld_cpu_operator_of(e, op);
    const pld_value *out = pld_value_at(e, op->out);
    const float *weight = op->norm.plus_one ? own->packed.data : own->weight;
    const float *scale = pld_slice_at(e, op->norm.scale, out, b);
    const float *gate = pld_slice_at(e, op->norm.gate, out, b);
    for (int64_t c = 0; c < out->channels; c++) {
        factors[c] = (weight ? weight[c] : 1) * (scale ? 1 + scale[c] : 1) * (gate ? tanhf(gate[c]) : 1);
    }
}

/** Rows that are rounded or added at a time. */
enum { ROOM_ROWS = 8 };

/** The norm of some rows of item `b` of the output. */
static void norm_rows(const pld_token_task *task, int64_t b, const float *x, int64_t rows, float *out) {
    const pld_executable *e = task->e;
    const pld_kernels *k = pld_cpu_kernels(e);
    const pld_operator *op = task->op;
    const pld_cpu_operator *own = pld_cpu_operator_of(e, op);
    const pld_value *value = pld_value_at(e, op->out);
    const float *scale = pld_slice_at(e, op->norm.scale, value, b);
    const float *shift = pld_slice_at(e, op->norm.shift, value, b);
    const float *factors = has_factors(op) ? (float *)pld_cpu_scratch(e) + b * value->channels : NULL;
    if (op->kind == PLD_OPERATOR_RMS_NORM) {
        const float *weight = factors ? factors : op->norm.plus_one ? own->packed.data : own->weight;
        k->rms_norm(x, rows, value->channels, op->norm.epsilon, weight, out);
        if (own->bias) {
            k->add_rows(out, rows, value->channels, own->bias, out);
        }
        if (op->norm.activated) {
            pld_cpu_activation_kernel(k, op->norm.activation)(out, (size_t)(rows * value->channels), out);
        }
    } else if (factors) {
        k->layer_norm(x, rows, value->channels, op->norm.epsilon, factors, NULL, out);
    } else if (scale) {
        k->layer_norm_modulated(x, rows, value->channels, op->norm.epsilon, scale, shift, out);
    } else {
        k->layer_norm(x, rows, value->channels, op->norm.epsilon, own->weight, own->bias, out);
    }
}

/** Rows that stay in the first level of the cache from one way through them to the next. */
static int64_t rows_at_once(const pld_operator *op, int64_t rows) {
    return rows > ROOM_ROWS && (op->norm.bias || op->norm.activated) ? ROOM_ROWS : rows;
}

/** Whether rows go by way of a room of the thread's: to be rounded to pairs of bfloat16, or to be added. */
static bool needs_room(const pld_executable *e, const pld_operator *op) {
    return pld_cpu_is_rounded(e, op->out) || op->norm.residual != PLD_NO_VALUE;
}

/** Rows of one item. */
static void norm_item_rows(const pld_token_task *task, int64_t b, int64_t begin, int64_t end, int thread) {
    const pld_executable *e = task->e;
    const pld_operator *op = task->op;
    const int64_t channels = pld_value_at(e, op->in)->channels;
    const float *in = pld_cpu_data(e, op->in);
    float *out = pld_cpu_data(e, op->out);
    if (!needs_room(e, op)) {
        for (int64_t row = begin, rows; row < end; row += rows) {
            rows = rows_at_once(op, end - row);
            norm_rows(task, b, in + row * channels, rows, out + row * channels);
        }
        return;
    }
    const pld_kernels *k = pld_cpu_kernels(e);
    float *rooms = (float *)pld_cpu_scratch(e) + factor_bytes(e, op) / sizeof(float);
    float *room = rooms + (int64_t)thread * ROOM_ROWS * channels;
    uint32_t *pairs = (uint32_t *)(void *)out;
    for (int64_t row = begin; row < end; row += ROOM_ROWS) {
        const int64_t rows = end - row < ROOM_ROWS ? end - row : ROOM_ROWS;
        float *sum = out + row * channels;
        norm_rows(task, b, in + row * channels, rows, room);
        if (op->norm.residual != PLD_NO_VALUE) {
            k->add(sum, room, (size_t)(rows * channels), sum);
        } else {
            pld_pairs_round(k, room, rows * channels, pairs + row * pld_pair_count(channels));
        }
    }
}

static void token_norm_rows(void *context, size_t begin, size_t end, int thread) {
    const pld_token_task *task = context;
    const pld_value *out = pld_value_at(task->e, task->op->out);
    const int64_t tokens = out->height * out->width;
    for (int64_t row = (int64_t)begin; row < (int64_t)end;) {
        const int64_t b = row / tokens, last = (b + 1) * tokens;
        const int64_t stop = last < (int64_t)end ? last : (int64_t)end;
        norm_item_rows(task, b, row, stop, thread);
        row = stop;
    }
}

static size_t token_norm_scratch(const pld_executable *e, const pld_operator *op) {
    const pld_value *out = pld_value_at(e, op->out);
    const size_t rooms = (size_t)(out->channels * ROOM_ROWS * pld_cpu_threads(e)) * sizeof(float);
    return factor_bytes(e, op) + (needs_room(e, op) ? rooms : 0);
}

static pld_status run_token_norm(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *out = pld_value_at(e, op->out);
    for (int64_t b = 0; has_factors(op) && b < out->batch; b++) {
        fill_factors(e, op, b, (float *)pld_cpu_scratch(e) + b * out->channels);
    }
    pld_cpu_over_tokens(e, op, op->in, token_norm_rows);
    return PLD_OK;
}

const pld_operator_code pld_cpu_group_norm = {prepare_norm, group_norm_scratch, run_group_norm};
const pld_operator_code pld_cpu_group_norm_factors = {prepare_norm, group_norm_scratch,
                                                      run_group_norm_factors};
const pld_operator_code pld_cpu_token_norm = {prepare_norm, token_norm_scratch, run_token_norm};
