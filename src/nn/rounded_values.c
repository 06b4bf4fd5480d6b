/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/rounded_values.h"

#include "nn/operators/operators.h"

/** The operator multiplies tokens by a matrix of bfloat16. */
static bool multiplies_rounded(const pld_operator *op) {
    return op->kind == &pld_operator_linear && op->path == &pld_product_bf16;
}

static bool can_round(const pld_operator *op) {
    return op->kind == &pld_operator_layer_norm || op->kind == &pld_operator_rms_norm ||
           (multiplies_rounded(op) && op->geglu);
}

/** It has the value in another place than as its input or its output. */
static bool has_beside(const pld_operator *op, pld_value_id id) {
    return op->second == id || op->residual == id || op->factors == id || op->vector == id || op->key == id ||
           op->value == id || op->scale.value == id || op->shift.value == id || op->gate.value == id ||
           op->relative_bias == id;
}

static bool is_rounded(const pld_plan *plan, pld_value_id id) {
    int writers = 0, readers = 0;
    for (size_t i = 0; i < plan->operator_count; i++) {
        const pld_operator *op = &plan->operators[i];
        const bool reads = op->in == id, writes = op->out == id;
        if (has_beside(op, id) || (writes && !can_round(op)) || (reads && !multiplies_rounded(op)) ||
            (reads && writes)) {
            return false;
        }
        writers += writes;
        readers += reads;
    }
    return writers == 1 && readers > 0;
}

void pld_plan_round_values(pld_plan *plan) {
    for (size_t i = 0; i < plan->value_count; i++) {
        pld_value *value = &plan->values[i];
        value->rounded = value->life == PLD_VALUE_TEMPORARY && value->channels % 2 == 0 &&
                         is_rounded(plan, (pld_value_id)i);
    }
}
