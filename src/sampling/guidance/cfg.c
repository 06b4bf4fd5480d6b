/* SPDX-License-Identifier: Apache-2.0 */
/* Classifier-free guidance, and the scale that it shares with its variants. */
#include <math.h>

#include "sampling/guidance/methods.h"

enum { SCALE };

static const pld_guidance_key keys[] = {PLD_GUIDANCE_CFG_SCALE_KEY};

pld_status pld_guidance_settle_cfg_scale(pld_guidance *g, const pld_guidance_request *request,
                                         pld_error *error) {
    const bool asked = !isnan(request->cfg_scale);
    if (g->given[SCALE] && asked && g->values[SCALE] != request->cfg_scale) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "guidance %s: found both a scale of %g and a cfg-scale of %g; leave one out",
                        g->method->name, g->values[SCALE], request->cfg_scale);
    }
    if (!g->given[SCALE]) {
        g->values[SCALE] = asked ? request->cfg_scale : request->default_cfg_scale;
    }
    return PLD_OK;
}

pld_status pld_guidance_settle_scale_above_1(pld_guidance *g, const pld_guidance_request *request,
                                             pld_error *error) {
    PLD_TRY(pld_guidance_settle_cfg_scale(g, request, error));
    return g->values[SCALE] > 1
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_ARGUMENT,
                          "guidance %s: needs a scale above 1, found %g; use %s:scale=S or a cfg-scale",
                          g->method->name, g->values[SCALE], g->method->name);
}

static bool neutral(const pld_guidance *g) {
    return g->values[SCALE] <= 1; /* as in diffusers */
}

static void combine(pld_guidance *g, pld_guidance_step *step) {
    const float *unconditional = step->predictions[PLD_BRANCH_UNCONDITIONAL];
    pld_guidance_extrapolate(unconditional, g->values[SCALE], step->predictions[PLD_BRANCH_CONDITIONAL],
                             unconditional, step->count, step->guided);
}

const pld_guidance_method pld_guidance_cfg = {
    .name = "cfg",
    .description = "classifier-free guidance: u + scale (c - u)",
    .paper = "Ho & Salimans 2022, arXiv 2207.12598",
    .evaluations = "2",
    .keys = keys,
    .key_count = PLD_GUIDANCE_KEY_COUNT(keys),
    .role = PLD_GUIDANCE_MAIN,
    .branches = PLD_BRANCH_BIT(PLD_BRANCH_UNCONDITIONAL) | PLD_BRANCH_BIT(PLD_BRANCH_CONDITIONAL),
    .settle = pld_guidance_settle_cfg_scale,
    .neutral = neutral,
    .combine = combine,
};
