/* SPDX-License-Identifier: Apache-2.0 */
/** Any linear layer or convolution through oneDNN. */
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

static pld_status pack(const void *context, const float *values, void *packed, pld_error *error) {
    const direct_packing *direct = context;
    return pld_onednn_pack(direct->dnn, direct->primitive, values, packed, error);
}

static pld_status prepare(pld_run *run, pld_operator *op, pld_error *error) {
    PLD_TRY(pld_onednn_prepare(run->dnn, &op->problem, op->name, &op->primitive, error));
    const direct_packing direct = {run->dnn, op->primitive};
    pld_packing packing = {.bytes = pld_onednn_packed_bytes(op->primitive), .pack = pack, .context = &direct};
    packing.layout = pld_onednn_layout(op->primitive, &packing.layout_size);
    return pld_parameter_packed(op->weight, &packing, &op->packed, error);
}

static size_t scratch(const pld_run *run, const pld_operator *op) {
    (void)run;
    return pld_onednn_scratch_bytes(op->primitive);
}

static pld_status run_direct(pld_run *run, pld_operator *op, pld_error *error) {
    const pld_plan *plan = run->plan;
    return pld_onednn_run(run->dnn, op->primitive, pld_plan_data(plan, op->in), op->packed, op->bias_values,
                          pld_plan_data(plan, op->out), plan->scratch, error);
}

const pld_product_path pld_product_direct = {"direct", accepts, prepare, scratch, run_direct};
