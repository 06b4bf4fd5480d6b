/* SPDX-License-Identifier: Apache-2.0 */
/* The table of variants, and those that are a row normaliser of the kernels. */
#include "backends/cpu/variants/variant.h"
#include "core/memory.h"
#include "kernels/attention.h"

/** Floats of the largest output of an attention of the plan. */
static size_t most_floats(const pld_executable *e) {
    size_t most = 0;
    for (size_t i = 0; i < e->plan->operator_count; i++) {
        const pld_operator *op = &e->plan->operators[i];
        const size_t floats =
            op->kind == PLD_OPERATOR_ATTENTION ? pld_item_floats(pld_value_at(e, op->in)) : 0;
        most = floats > most ? floats : most;
    }
    return most;
}

static bool needs_spare(const pld_attention_variant *variant) {
    return variant && variant->needs_spare;
}

pld_status pld_attention_need_spare(const pld_attention_call *call, pld_error *error) {
    pld_cpu_plan *own = pld_cpu_plan_of(call->executable);
    const pld_attention_choice *choice = call->choice;
    const bool second_context =
        call->op->attention.as.kind != PLD_SITE_JOINT; /* there it is a row of its own */
    if (own->spare || !(needs_spare(choice->rows) || needs_spare(choice->query) ||
                        (needs_spare(choice->contexts) && second_context))) {
        return PLD_OK;
    }
    own->spare_floats = most_floats(call->executable);
    own->spare = pld_allocate_aligned(PLD_SPARE_COUNT * own->spare_floats, sizeof *own->spare);
    return own->spare ? PLD_OK
                      : pld_fail_memory(error, PLD_SPARE_COUNT * own->spare_floats * sizeof *own->spare,
                                        "attention variants");
}

float *pld_attention_spare(const pld_attention_call *call, int which) {
    const pld_cpu_plan *own = pld_cpu_plan_of(call->executable);
    return own->spare + (size_t)which * own->spare_floats;
}

pld_status pld_attention_pass(const pld_attention_call *call, pld_attention_rows rows, float *out,
                              pld_error *error) {
    pld_attention_problem p = call->problem;
    p.rows = rows;
    p.out = out;
    return pld_attention_with(pld_cpu_kernels(call->executable), &p, call->scratch, call->scratch_bytes,
                              &call->parallel, error);
}

static pld_status run_softmax(pld_attention_call *call, float *out, pld_error *error) {
    return pld_attention_pass(call, PLD_ROWS_SOFTMAX, out, error);
}

static pld_status run_pladis(pld_attention_call *call, float *out, pld_error *error) {
    call->problem.lambda = call->choice->lambda;
    call->problem.alpha = call->choice->alpha;
    return pld_attention_pass(call, PLD_ROWS_PLADIS, out, error);
}

static pld_status run_identity(pld_attention_call *call, float *out, pld_error *error) {
    return pld_attention_pass(call, PLD_ROWS_IDENTITY, out, error);
}

const pld_cpu_variant pld_cpu_variants[PLD_VARIANT_KINDS] = {
    [PLD_VARIANT_SOFTMAX] = run_softmax,       [PLD_VARIANT_PLADIS] = run_pladis,
    [PLD_VARIANT_TEMPERED] = pld_cpu_tempered, [PLD_VARIANT_IDENTITY] = run_identity,
    [PLD_VARIANT_GAG] = pld_cpu_gag,           [PLD_VARIANT_BLUR] = pld_cpu_blur,
    [PLD_VARIANT_NAG] = pld_cpu_nag,
};
