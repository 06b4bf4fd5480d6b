/* SPDX-License-Identifier: Apache-2.0 */
/* CFG++: blend inside [0, 1], and add noise back with the unconditional prediction (algorithm 1). */
#include <math.h>

#include "sampling/guidance/methods.h"

enum { SCALE };

static const pld_guidance_key keys[] = {{.name = "scale",
                                         .kind = PLD_GUIDANCE_NUMBER,
                                         .fallback = 0.6,
                                         .minimum = 0,
                                         .maximum = 1,
                                         .help = "lambda; 0.6 is about a cfg-scale of 7.5"}};

/** A cfg-scale up to 1 is taken for λ; greater ones belong to CFG. */
static pld_status settle(pld_guidance *g, const pld_guidance_request *request, pld_error *error) {
    if (request->cfg_scale > 1) {
        return pld_fail(
            error, PLD_ERROR_ARGUMENT,
            "guidance cfg++: its scale is from 0 to 1, found a cfg-scale of %g; use cfg++:scale=S",
            request->cfg_scale);
    }
    return isnan(request->cfg_scale) ? PLD_OK : pld_guidance_settle_cfg_scale(g, request, error);
}

static void combine(pld_guidance *g, pld_guidance_step *step) {
    const float *unconditional = step->predictions[PLD_BRANCH_UNCONDITIONAL];
    pld_guidance_extrapolate(unconditional, g->values[SCALE], step->predictions[PLD_BRANCH_CONDITIONAL],
                             unconditional, step->count, step->guided);
    step->renoise = unconditional;
}

const pld_guidance_method pld_guidance_cfg_plus_plus = {
    .name = "cfg++",
    .description =
        "u + scale (c - u) for the clean picture, noise added back with u; samplers ddim and euler",
    .paper = "Chung et al. 2024, arXiv 2406.08070",
    .evaluations = "2",
    .keys = keys,
    .key_count = PLD_GUIDANCE_KEY_COUNT(keys),
    .role = PLD_GUIDANCE_MAIN,
    .branches = PLD_BRANCH_BIT(PLD_BRANCH_UNCONDITIONAL) | PLD_BRANCH_BIT(PLD_BRANCH_CONDITIONAL),
    .renoises = true,
    .settle = settle,
    .combine = combine,
};
