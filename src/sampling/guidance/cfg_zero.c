/* SPDX-License-Identifier: Apache-2.0 */
/* CFG-Zero*: the unconditional prediction scaled to fit the conditional one, and nothing in
 * the first steps. */
#include <math.h>

#include "sampling/guidance/methods.h"

enum { SCALE, STEPS };

static const pld_guidance_key keys[] = {
    PLD_GUIDANCE_CFG_SCALE_KEY,
    {.name = "steps",
     .kind = PLD_GUIDANCE_INTEGER,
     .fallback = 1,
     .minimum = 0,
     .maximum = 1000,
     .help = "number of first steps whose prediction is zero"},
};

static bool zeroed(const pld_guidance *g, size_t step) {
    return (double)step < g->values[STEPS];
}

/** s* = ⟨c, u⟩/‖u‖², then s*·u + s·(c − s*·u): eq. 12 and algorithm 1; the 1e-8 is diffusers'. */
static void combine(pld_guidance *g, pld_guidance_step *step) {
    const float *unconditional = step->predictions[PLD_BRANCH_UNCONDITIONAL];
    const float *conditional = step->predictions[PLD_BRANCH_CONDITIONAL];
    const float fit = (float)(pld_guidance_dot(conditional, unconditional, step->count) /
                              (pld_guidance_dot(unconditional, unconditional, step->count) + 1e-8));
    const float scale = (float)g->values[SCALE];
    for (size_t i = 0; i < step->count; i++) {
        const float fitted = unconditional[i] * fit;
        step->guided[i] = fitted + scale * (conditional[i] - fitted);
    }
}

const pld_guidance_method pld_guidance_cfg_zero = {
    .name = "cfg-zero",
    .description =
        "CFG-Zero*: CFG with k u in place of u, k = <c,u>/<u,u>, and a prediction of zero in the first "
        "steps; made for flow matching",
    .paper = "Fan et al. 2025, arXiv 2503.18886",
    .evaluations = "2, none in the zero steps",
    .keys = keys,
    .key_count = PLD_GUIDANCE_KEY_COUNT(keys),
    .role = PLD_GUIDANCE_MAIN,
    .branches = PLD_BRANCH_BIT(PLD_BRANCH_UNCONDITIONAL) | PLD_BRANCH_BIT(PLD_BRANCH_CONDITIONAL),
    .settle = pld_guidance_settle_scale_above_1,
    .zeroed = zeroed,
    .combine = combine,
};
