/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/executor.h"

#include "core/memory.h"
#include "core/parallel.h"
#include "nn/rounded_values.h"

size_t pld_plan_memory_bytes(const pld_plan *plan) {
    return plan->memory_floats * sizeof(float) + plan->scratch_bytes;
}

int pld_threads_for(const pld_run *run, size_t floats) {
    enum { WORTH_A_THREAD = 1 << 15 };
    return floats < WORTH_A_THREAD ? 1 : run->threads;
}

static pld_status check_cancel(const pld_run *run, pld_error *error) {
    return run->cancel && *run->cancel ? pld_fail(error, PLD_ERROR_CANCELLED, "cancelled") : PLD_OK;
}

static pld_status prepare_operators(pld_run *run, pld_error *error) {
    pld_plan *plan = run->plan;
    for (size_t i = 0; i < plan->operator_count; i++) {
        pld_operator *op = &plan->operators[i];
        PLD_TRY(check_cancel(run, error));
        if (op->kind->prepare) {
            const double begin = pld_profile_now(run->profile);
            PLD_TRY(op->kind->prepare(run, op, error));
            pld_profile_end_operator(run, op, PLD_PROFILE_PREPARE, begin);
        }
    }
    pld_plan_round_values(plan);
    for (size_t i = 0; i < plan->operator_count; i++) {
        const pld_operator *op = &plan->operators[i];
        size_t bytes = op->kind->scratch ? op->kind->scratch(run, op) : 0;
        plan->scratch_bytes = bytes > plan->scratch_bytes ? bytes : plan->scratch_bytes;
    }
    return PLD_OK;
}

pld_status pld_plan_prepare(pld_run *run, pld_error *error) {
    pld_plan *plan = run->plan;
    if (plan->memory_floats == 0) {
        PLD_TRY(pld_plan_layout(plan, error));
    }
    int former = pld_swap_openmp_threads(run->threads);
    pld_status status = prepare_operators(run, error);
    pld_swap_openmp_threads(former);
    PLD_TRY(status);
    return pld_plan_wake(plan, error);
}

pld_status pld_plan_wake(pld_plan *plan, pld_error *error) {
    if (!plan->memory) {
        plan->memory = pld_allocate_aligned(plan->memory_floats, sizeof *plan->memory);
    }
    if (!plan->scratch) {
        plan->scratch = pld_allocate_aligned(plan->scratch_bytes, 1);
    }
    return plan->memory && plan->scratch
               ? PLD_OK
               : pld_fail_memory(error, pld_plan_memory_bytes(plan), "buffers of the network");
}

void pld_plan_rest(pld_plan *plan) {
    enum { WORTH_FREEING = 32 << 20 }; /* smaller buffers cost more to get again than they are worth */
    if (plan->memory && pld_plan_memory_bytes(plan) >= WORTH_FREEING) {
        pld_free(plan->memory);
        pld_free(plan->scratch);
        plan->memory = NULL;
        plan->scratch = NULL;
    }
}

static pld_status run_operators(pld_run *run, pld_error *error) {
    for (size_t i = 0; i < run->plan->operator_count; i++) {
        PLD_TRY(check_cancel(run, error));
        pld_operator *op = &run->plan->operators[i];
        const double begin = pld_profile_now(run->profile);
        PLD_TRY(op->kind->run(run, op, error));
        pld_profile_end_operator(run, op, PLD_PROFILE_OPERATOR, begin);
    }
    return PLD_OK;
}

pld_status pld_plan_run(pld_run *run, pld_error *error) {
    const char *name = run->plan->name ? run->plan->name : "";
    const double begin = pld_profile_now(run->profile);
    int former = pld_swap_openmp_threads(run->threads);
    pld_status status = run_operators(run, error);
    pld_swap_openmp_threads(former);
    pld_profile_end(run->profile, PLD_PROFILE_NETWORK, name, name, begin);
    return status;
}
