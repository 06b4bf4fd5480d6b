/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/rounded_values.h"

#include "backends/cpu/product.h"

/** The operator multiplies tokens by a matrix of bfloat16. */
static bool multiplies_rounded(const pld_executable *e, const pld_operator *op) {
    return op->kind == PLD_OPERATOR_LINEAR && pld_cpu_operator_of(e, op)->path == &pld_product_bf16;
}

static bool can_round(const pld_executable *e, const pld_operator *op) {
    return op->kind == PLD_OPERATOR_LAYER_NORM || op->kind == PLD_OPERATOR_RMS_NORM ||
           (multiplies_rounded(e, op) && op->product.glu.on);
}

/** It has the value in another place than as its input or its output. */
static bool has_beside(const pld_operator *op, pld_value_id id) {
    const pld_value_slot *slots = pld_operator_kinds[op->kind].slots;
    for (int i = 0; i < PLD_MOST_SLOTS; i++) {
        const bool beside =
            slots[i].offset != offsetof(pld_operator, in) && slots[i].offset != offsetof(pld_operator, out);
        if (slots[i].name && beside && pld_slot_value(op, &slots[i]) == id) {
            return true;
        }
    }
    return false;
}

static bool is_rounded(const pld_executable *e, pld_value_id id) {
    int writers = 0, readers = 0;
    for (size_t i = 0; i < e->plan->operator_count; i++) {
        const pld_operator *op = &e->plan->operators[i];
        const bool reads = op->in == id, writes = op->out == id;
        if (has_beside(op, id) || (writes && !can_round(e, op)) || (reads && !multiplies_rounded(e, op)) ||
            (reads && writes)) {
            return false;
        }
        writers += writes;
        readers += reads;
    }
    return writers == 1 && readers > 0;
}

void pld_cpu_round_values(pld_executable *e) {
    for (size_t i = 0; i < e->plan->value_count; i++) {
        const pld_value *value = pld_value_at(e, (pld_value_id)i);
        pld_cpu_plan_of(e)->rounded[i] =
            value->life == PLD_VALUE_TEMPORARY && value->channels % 2 == 0 && is_rounded(e, (pld_value_id)i);
    }
}
