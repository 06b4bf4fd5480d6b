/* SPDX-License-Identifier: Apache-2.0 */
/** Any linear layer or convolution through oneDNN. */
#include <string.h>

#include "core/memory.h"
#include "nn/operators/operators.h"

static bool accepts(const pld_run *run, const pld_operator *op) {
    (void)run;
    (void)op;
    return true;
}

typedef struct direct_packing {
    pld_onednn *dnn;
    const pld_onednn_primitive *primitive;
} direct_packing;

static pld_status pack(const void *context, const pld_weight_reader *reader, void *packed, pld_error *error) {
    const direct_packing *direct = context;
    float *values = NULL;
    if (!reader->values) {
        PLD_TRY(pld_weight_all_values(reader->kernels, reader->weight, &values, error));
    }
    pld_status status = pld_onednn_pack(direct->dnn, direct->primitive,
                                        reader->values ? reader->values : values, packed, error);
    pld_free(values);
    return status;
}

static pld_status prepare(pld_run *run, pld_operator *op, pld_error *error) {
    PLD_TRY(pld_onednn_prepare(run->dnn, &op->problem, op->name, &op->primitive, error));
    const direct_packing direct = {run->dnn, op->primitive};
    pld_packing packing = {.bytes = pld_onednn_packed_bytes(op->primitive), .pack = pack, .context = &direct};
    packing.layout = pld_onednn_layout(op->primitive, &packing.layout_size);
    return pld_parameter_packed(op->weight, &packing, &op->packed, error);
}

/** Floats of the input as the convolution sees it; 0 where it is what the plan holds. */
static size_t input_floats(const pld_run *run, const pld_operator *op) {
    const pld_onednn_problem *p = &op->problem;
    const pld_value *in = &run->plan->values[op->in];
    const bool same = op->factors == PLD_NO_VALUE && in->height == p->height && in->width == p->width;
    return same ? 0 : (size_t)(p->batch * p->height * p->width * p->in_channels);
}

/** Scratch: the primitive's, to a whole cache line · the input as the convolution sees it. */
static size_t primitive_bytes(const pld_operator *op) {
    return (pld_onednn_scratch_bytes(op->primitive) + PLD_ALIGNMENT - 1) / PLD_ALIGNMENT * PLD_ALIGNMENT;
}

static size_t scratch(const pld_run *run, const pld_operator *op) {
    return primitive_bytes(op) + input_floats(run, op) * sizeof(float);
}

/** Normalise or enlarge the input of every picture into `to`. */
static void write_input(const pld_run *run, const pld_operator *op, float *to) {
    const pld_onednn_problem *p = &op->problem;
    const pld_value *in = &run->plan->values[op->in];
    const float *x = pld_plan_data(run->plan, op->in);
    const float *factors = pld_plan_data_or_null(run->plan, op->factors);
    const int64_t pixels = p->height * p->width;
    for (int64_t b = 0; b < p->batch; b++, to += pixels * p->in_channels) {
        const float *picture = x + b * in->height * in->width * p->in_channels;
        if (factors) {
            const float *scale = factors + b * 2 * p->in_channels;
            run->kernels->scale_shift(picture, pixels, p->in_channels, scale, scale + p->in_channels, true,
                                      to);
        } else {
            run->kernels->upsample_nearest(picture, in->height, in->width, p->in_channels, p->height,
                                           p->width, to);
        }
    }
}

static void add_vector(const pld_run *run, const pld_operator *op) {
    const pld_onednn_problem *p = &op->problem;
    const float *vector = pld_plan_data_or_null(run->plan, op->vector);
    float *out = pld_plan_data(run->plan, op->out);
    const int64_t pixels = p->out_height * p->out_width;
    for (int64_t b = 0; vector && b < p->batch; b++, out += pixels * p->out_channels) {
        run->kernels->add_rows(out, pixels, p->out_channels, vector + b * p->out_channels, out);
    }
}

static pld_status run_direct(pld_run *run, pld_operator *op, pld_error *error) {
    const pld_plan *plan = run->plan;
    const float *x = pld_plan_data(plan, op->in);
    float *out = pld_plan_data(plan, op->out);
    const float *residual = pld_plan_data_or_null(plan, op->residual);
    if (input_floats(run, op)) {
        float *input = (float *)(void *)((char *)plan->scratch + primitive_bytes(op));
        write_input(run, op, input);
        x = input;
    }
    if (residual && residual != out) {
        memcpy(out, residual, pld_value_floats(&plan->values[op->out]) * sizeof *out);
    }
    PLD_TRY(
        pld_onednn_run(run->dnn, op->primitive, x, op->packed, op->bias_values, out, plan->scratch, error));
    add_vector(run, op);
    return PLD_OK;
}

const pld_product_path pld_product_direct = {"direct", accepts, prepare, scratch, run_direct};
