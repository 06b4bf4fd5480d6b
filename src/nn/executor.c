/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/executor.h"

#include "core/cancel.h"
#include "core/memory.h"
#include "nn/rounded_values.h"

size_t pld_plan_memory_bytes(const pld_plan *plan) {
    return plan->memory_floats * sizeof(float) + plan->scratch_bytes;
}

int pld_threads_for(const pld_run *run, size_t floats) {
    enum { WORTH_A_THREAD = 1 << 15 };
    return floats < WORTH_A_THREAD ? 1 : run->threads;
}

void pld_product_settings_set_bf16(pld_product_settings *settings, pld_isa isa, bool bf16,
                                   bool is_text_encoder) {
    settings->bf16 = bf16 && !is_text_encoder;
    settings->split = bf16 && pld_isa_prefers_split(isa);
}

static pld_status check_cancel(const pld_run *run, pld_error *error) {
    return pld_cancel_requested(run->cancel) ? pld_fail(error, PLD_ERROR_CANCELLED, "cancelled") : PLD_OK;
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
    PLD_TRY(prepare_operators(run, error));
    return pld_plan_wake(plan, error);
}

/** The spare memory, if it is large enough; one that is not makes room. */
static void *take_spare(pld_spare_memory *spare, size_t wanted, size_t *bytes) {
    void *data = spare->data;
    if (spare->bytes < wanted) {
        pld_free(data);
        data = NULL;
    }
    *bytes = spare->bytes;
    *spare = (pld_spare_memory){0};
    return data;
}

pld_status pld_plan_wake(pld_plan *plan, pld_error *error) {
    if (plan->memory) {
        return PLD_OK;
    }
    size_t values = 0, bytes = 0;
    if (pld_multiply(plan->memory_floats, sizeof *plan->memory, &values) && values <= SIZE_MAX / 2 &&
        plan->scratch_bytes <= SIZE_MAX / 4) {
        values = (values + PLD_ALIGNMENT - 1) / PLD_ALIGNMENT * PLD_ALIGNMENT;
        bytes = values + plan->scratch_bytes;
        plan->memory = plan->spare ? take_spare(plan->spare, bytes, &plan->held_bytes) : NULL;
        if (!plan->memory) {
            plan->memory = pld_allocate_aligned(bytes, 1);
            plan->held_bytes = bytes;
        }
    }
    if (!plan->memory) {
        return pld_fail_memory(error, pld_plan_memory_bytes(plan), "buffers of the network");
    }
    plan->scratch = (char *)plan->memory + values;
    return PLD_OK;
}

void pld_plan_rest(pld_plan *plan) {
    enum { WORTH_FREEING = 32 << 20 }; /* smaller buffers cost more to get again than they are worth */
    if (!plan->memory || pld_plan_memory_bytes(plan) < WORTH_FREEING) {
        return;
    }
    pld_spare_memory left = {plan->memory, plan->held_bytes};
    if (plan->spare && plan->spare->bytes < left.bytes) {
        const pld_spare_memory former = *plan->spare;
        *plan->spare = left;
        left = former;
    }
    pld_free(left.data);
    plan->memory = NULL;
    plan->scratch = NULL;
    plan->held_bytes = 0;
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
    pld_status status = run_operators(run, error);
    pld_profile_end(run->profile, PLD_PROFILE_NETWORK, name, name, begin);
    return status;
}
