/* SPDX-License-Identifier: Apache-2.0 */
/* The conditional prediction as it is. */
#include <string.h>

#include "sampling/guidance/methods.h"

static void combine(pld_guidance *g, pld_guidance_step *step) {
    (void)g;
    memcpy(step->guided, step->predictions[PLD_BRANCH_CONDITIONAL], step->count * sizeof *step->guided);
}

static pld_status settle(pld_guidance *g, const pld_guidance_request *request, pld_error *error) {
    (void)g;
    return request->cfg_scale > 1
               ? pld_fail(error, PLD_ERROR_ARGUMENT,
                          "guidance none: contradicts the cfg-scale of %g; leave one out", request->cfg_scale)
               : PLD_OK;
}

const pld_guidance_method pld_guidance_none = {
    .name = "none",
    .description = "no classifier-free guidance: c",
    .evaluations = "1",
    .role = PLD_GUIDANCE_MAIN,
    .branches = PLD_BRANCH_BIT(PLD_BRANCH_CONDITIONAL),
    .settle = settle,
    .combine = combine,
};
