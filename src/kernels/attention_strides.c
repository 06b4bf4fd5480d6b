/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/attention_strides.h"

enum { AXES = 3, BATCH = 0, TOKEN = 1, HEAD = 2 };

static const char *const axis_names[AXES] = {"batch", "token", "head"};

/** One operand: how many rows of head_size elements lie along each axis, and how far apart. */
typedef struct operand {
    const char *name;
    int64_t counts[AXES];
    int64_t strides[AXES];
    bool may_share; /* batches or heads may be the same rows */
} operand;

static bool is_shared(const operand *o, int axis) {
    return o->may_share && axis != TOKEN && o->strides[axis] == PLD_STRIDE_SHARED;
}

/** The axis of the smallest stride among those that are not `done`; AXES when none is left. */
static int next_axis(const operand *o, const bool *done) {
    int next = AXES;
    for (int axis = 0; axis < AXES; axis++) {
        if (!done[axis] && (next == AXES || o->strides[axis] < o->strides[next])) {
            next = axis;
        }
    }
    return next;
}

/** From the innermost axis outwards: each step must pass what lies inside it. */
static pld_status check_operand(const operand *o, int64_t row, pld_error *error) {
    bool done[AXES];
    for (int axis = 0; axis < AXES; axis++) {
        done[axis] = o->counts[axis] < 2 || is_shared(o, axis);
    }
    int64_t extent = row;
    for (int axis; (axis = next_axis(o, done)) < AXES; done[axis] = true) {
        const int64_t stride = o->strides[axis];
        if (stride < extent) {
            return pld_fail(
                error, PLD_ERROR_ARGUMENT,
                "attention: %s_%s_stride is %lld, expected at least %lld elements (the %lld along this axis "
                "would overlap)%s",
                o->name, axis_names[axis], (long long)stride, (long long)extent, (long long)o->counts[axis],
                o->may_share && axis != TOKEN ? "; PLD_STRIDE_SHARED says that all are the same memory" : "");
        }
        int64_t last = 0;
        if (__builtin_mul_overflow(stride, o->counts[axis] - 1, &last) ||
            __builtin_add_overflow(last, extent, &extent)) {
            return pld_fail(error, PLD_ERROR_ARGUMENT, "attention: %s_%s_stride is %lld, beyond any memory",
                            o->name, axis_names[axis], (long long)stride);
        }
    }
    return PLD_OK;
}

static pld_status check_mask(const pld_attention_problem *p, pld_error *error) {
    if (!p->key_mask || p->batch < 2 || p->key_mask_batch_stride == PLD_STRIDE_SHARED ||
        p->key_mask_batch_stride >= p->key_count) {
        return PLD_OK;
    }
    return pld_fail(error, PLD_ERROR_ARGUMENT,
                    "attention: key_mask_batch_stride is %lld, expected at least %lld, or PLD_STRIDE_SHARED "
                    "for one mask shared by all batches",
                    (long long)p->key_mask_batch_stride, (long long)p->key_count);
}

/** A bias may have any strides, even negative ones; 0 for all batches or heads was forgotten. */
static pld_status check_bias(const pld_attention_problem *p, pld_error *error) {
    const bool batch = p->batch > 1 && p->bias_batch_stride == 0;
    if (!p->bias || (!batch && (p->heads < 2 || p->bias_head_stride != 0))) {
        return PLD_OK;
    }
    return pld_fail(
        error, PLD_ERROR_ARGUMENT,
        "attention: bias_%s_stride is 0, expected the distance of two, or PLD_STRIDE_SHARED for one "
        "bias of all",
        axis_names[batch ? BATCH : HEAD]);
}

static void make_plain(int64_t *stride) {
    *stride = *stride == PLD_STRIDE_SHARED ? 0 : *stride;
}

pld_status pld_attention_check_strides(const pld_attention_problem *p, pld_attention_problem *plain,
                                       pld_error *error) {
    const bool identity = p->rows == PLD_ROWS_IDENTITY; /* which reads values alone */
    const int64_t key_heads = p->key_heads ? p->key_heads : p->heads;
    const operand operands[] = {
        {"out",
         {p->batch, p->query_count, p->heads},
         {p->out_batch_stride, p->out_token_stride, p->out_head_stride},
         false},
        {"value",
         {p->batch, p->key_count, key_heads},
         {p->value_batch_stride, p->value_token_stride, p->value_head_stride},
         true},
        {"query",
         {p->batch, p->query_count, p->heads},
         {p->query_batch_stride, p->query_token_stride, p->query_head_stride},
         true},
        {"key",
         {p->batch, p->key_count, key_heads},
         {p->key_batch_stride, p->key_token_stride, p->key_head_stride},
         true},
    };
    for (size_t i = 0; i < (identity ? 2 : sizeof operands / sizeof *operands); i++) {
        PLD_TRY(check_operand(&operands[i], p->head_size, error));
    }
    PLD_TRY(check_mask(p, error));
    PLD_TRY(check_bias(p, error));
    if (p->out == p->value || (!identity && (p->out == p->query || p->out == p->key))) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "attention: out is the same memory as %s; expected memory of its own",
                        p->out == p->value   ? "value"
                        : p->out == p->query ? "query"
                                             : "key");
    }
    *plain = *p;
    int64_t *const shared[] = {
        &plain->query_batch_stride,    &plain->query_head_stride,  &plain->key_batch_stride,
        &plain->key_head_stride,       &plain->value_batch_stride, &plain->value_head_stride,
        &plain->key_mask_batch_stride, &plain->bias_batch_stride,  &plain->bias_head_stride};
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
        make_plain(shared[i]);
    }
    return PLD_OK;
}
