/* SPDX-License-Identifier: Apache-2.0 */
/* Rescaling of the guided prediction to the contrast of the conditional one. */
#include "sampling/guidance/methods.h"

enum { PHI };

static const pld_guidance_key keys[] = {{.name = "phi",
                                         .kind = PLD_GUIDANCE_NUMBER,
                                         .fallback = 0.7,
                                         .minimum = 0,
                                         .maximum = 1,
                                         .help = "how much; 0 is off. The same as --cfg-rescale"}};

static pld_status settle(pld_guidance *g, const pld_guidance_request *request, pld_error *error) {
    if (g->given[PHI] && request->cfg_rescale != 0 && g->values[PHI] != request->cfg_rescale) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "guidance rescale: found both a phi of %g and a cfg-rescale of %g; leave one out",
                        g->values[PHI], request->cfg_rescale);
    }
    if (!g->given[PHI] && request->cfg_rescale != 0) {
        g->values[PHI] = request->cfg_rescale;
    }
    return PLD_OK;
}

static bool neutral(const pld_guidance *g) {
    return g->values[PHI] == 0;
}

/** φ·x·std(c)/std(x) + (1 − φ)·x, section 3.4 */
static void combine(pld_guidance *g, pld_guidance_step *step) {
    const double guided = pld_guidance_deviation(step->guided, step->count);
    if (guided == 0) {
        return;
    }
    const double conditional = pld_guidance_deviation(step->predictions[PLD_BRANCH_CONDITIONAL], step->count);
    const float factor = (float)(g->values[PHI] * conditional / guided + (1 - g->values[PHI]));
    for (size_t i = 0; i < step->count; i++) {
        step->guided[i] *= factor;
    }
}

const pld_guidance_method pld_guidance_rescale = {
    .name = "rescale",
    .description =
        "turns the guided prediction x into phi x std(c)/std(x) + (1 - phi) x, against overexposure",
    .paper = "Lin et al. 2023, arXiv 2305.08891",
    .evaluations = "+0",
    .keys = keys,
    .key_count = PLD_GUIDANCE_KEY_COUNT(keys),
    .role = PLD_GUIDANCE_AFTER,
    .branches = PLD_BRANCH_BIT(PLD_BRANCH_CONDITIONAL),
    .settle = settle,
    .neutral = neutral,
    .combine = combine,
};
