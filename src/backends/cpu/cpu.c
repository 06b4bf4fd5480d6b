/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/cpu.h"

#include "core/parallel.h"

const float *pld_slice_at(const pld_executable *e, pld_slice slice, const pld_value *of, int64_t b) {
    if (slice.value == PLD_NO_VALUE) {
        return NULL;
    }
    const pld_value *value = pld_value_at(e, slice.value);
    return pld_cpu_data(e, slice.value) + (size_t)pld_item_for(value, of, b) * pld_item_floats(value) +
           slice.first;
}

int64_t pld_slice_step(const pld_plan *plan, pld_slice slice) {
    if (slice.value == PLD_NO_VALUE || plan->values[slice.value].batch == 1) {
        return 0;
    }
    return (int64_t)pld_item_floats(&plan->values[slice.value]);
}

pld_status pld_cpu_keep_weight(const pld_executable *e, const pld_operator *op, pld_parameter *parameter,
                               pld_error *error) {
    pld_cpu_operator *own = pld_cpu_operator_of(e, op);
    own->weight_of = parameter;
    return parameter ? pld_parameter_values(parameter, &own->weight, error) : PLD_OK;
}

pld_status pld_cpu_keep_bias(const pld_executable *e, const pld_operator *op, pld_parameter *parameter,
                             pld_error *error) {
    pld_cpu_operator *own = pld_cpu_operator_of(e, op);
    own->bias_of = parameter;
    return parameter ? pld_parameter_values(parameter, &own->bias, error) : PLD_OK;
}

pld_status pld_cpu_gate_kind(pld_activation activation, const char *name, pld_gate_kind *kind,
                             pld_error *error) {
    switch (activation) {
    case PLD_SILU:
        *kind = PLD_GATE_SILU;
        return PLD_OK;
    case PLD_GELU:
        *kind = PLD_GATE_GELU;
        return PLD_OK;
    case PLD_GELU_TANH:
        *kind = PLD_GATE_GELU_TANH;
        return PLD_OK;
    default:
        return pld_fail(error, PLD_ERROR_UNSUPPORTED, "'%s': no gate of this activation", name);
    }
}

void pld_cpu_over_tokens(const pld_executable *e, const pld_operator *op, pld_value_id of,
                         void (*body)(void *context, size_t begin, size_t end, int thread)) {
    const pld_value *value = pld_value_at(e, of);
    pld_token_task task = {e, op};
    const size_t tokens = (size_t)value->batch * pld_value_tokens(value);
    pld_parallel_for(pld_cpu_threads_for(e, tokens * (size_t)value->channels), tokens, body, &task);
}

float *pld_cpu_token(const pld_token_task *task, pld_value_id id, size_t token) {
    return pld_cpu_data(task->e, id) + token * (size_t)pld_value_at(task->e, id)->channels;
}
