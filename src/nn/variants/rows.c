/* SPDX-License-Identifier: Apache-2.0 */
/* Variants that are a row normaliser of the kernels. */
#include "kernels/attention.h"
#include "nn/variants/variant.h"

float *pld_attention_spare(const pld_attention_call *call, int which) {
    return call->run->attention_spare + (size_t)which * call->run->attention_spare_floats;
}

pld_status pld_attention_pass(const pld_attention_call *call, pld_attention_rows rows, float *out,
                              pld_error *error) {
    const pld_run *run = call->run;
    pld_attention_problem p = call->problem;
    p.rows = rows;
    p.out = out;
    return pld_attention_with(run->kernels, &p, run->plan->scratch, run->plan->scratch_bytes, &call->parallel,
                              error);
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

const pld_attention_variant pld_variant_softmax = {
    .name = "softmax",
    .description = "ordinary attention",
    .site_kinds = "self,cross",
    .part = PLD_VARIANT_ROWS,
    .run = run_softmax,
};

const pld_attention_variant pld_variant_pladis = {
    .name = "pladis",
    .description =
        "dense + lambda (alpha-entmax - dense) on cross-attention, for ablations on self-attention "
        "(Kim & Sim 2025, arXiv 2503.07677)",
    .site_kinds = "self,cross",
    .part = PLD_VARIANT_ROWS,
    .run = run_pladis,
};

const pld_attention_variant pld_variant_identity = {
    .name = "identity",
    .description = "out = v: the perturbed branch of PAG (Ahn et al. 2024, arXiv 2403.17377)",
    .site_kinds = "self",
    .part = PLD_VARIANT_ROWS,
    .run = run_identity,
};
