/* SPDX-License-Identifier: Apache-2.0 */
/** Linear layers and convolutions: one oneDNN primitive and one packed weight each. */
#include "nn/operators/operators.h"

static pld_status prepare_product(pld_run *run, pld_operator *op, pld_error *error) {
    PLD_TRY(pld_onednn_prepare(run->dnn, &op->problem, op->name, &op->primitive, error));
    PLD_TRY(pld_parameter_packed(op->weight, run->dnn, op->primitive, &op->packed, error));
    return op->bias ? pld_parameter_values(op->bias, &op->bias_values, error) : PLD_OK;
}

static size_t product_scratch(const pld_run *run, const pld_operator *op) {
    (void)run;
    return pld_onednn_scratch_bytes(op->primitive);
}

static pld_status run_product(pld_run *run, pld_operator *op, pld_error *error) {
    const pld_plan *plan = run->plan;
    return pld_onednn_run(run->dnn, op->primitive, pld_plan_data(plan, op->in), op->packed, op->bias_values,
                          pld_plan_data(plan, op->out), plan->scratch, error);
}

const pld_operator_kind pld_operator_linear = {"linear", prepare_product, product_scratch, run_product};
const pld_operator_kind pld_operator_conv = {"conv", prepare_product, product_scratch, run_product};
