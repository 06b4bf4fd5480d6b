/* SPDX-License-Identifier: Apache-2.0 */
/* Adaptive projected guidance: momentum, a bound on the norm, and less of what is parallel to c. */
#include <math.h>

#include "sampling/guidance/methods.h"

enum { SCALE, ETA, NORM, MOMENTUM };

/* The paper's values for SDXL. diffusers' defaults, eta 1 and no momentum, differ from CFG only where the
 * norm is beyond the bound, which at small sizes it never is. */
static const pld_guidance_key keys[] = {
    PLD_GUIDANCE_CFG_SCALE_KEY,
    {.name = "eta",
     .kind = PLD_GUIDANCE_NUMBER,
     .fallback = 0,
     .minimum = -10,
     .maximum = 10,
     .help = "how much of the part parallel to c is kept; 0 saturates least, 1 is all"},
    {.name = "norm",
     .kind = PLD_GUIDANCE_NUMBER,
     .fallback = 15,
     .minimum = 0,
     .maximum = 1e6,
     .help = "limit on the norm of c - u; 0 is none"},
    {.name = "momentum",
     .kind = PLD_GUIDANCE_NUMBER,
     .fallback = -0.5,
     .minimum = -1,
     .maximum = 1,
     .help = "of c - u from step to step; 0 is none"},
};

static bool neutral(const pld_guidance *g) {
    return g->values[ETA] == 1 && g->values[NORM] == 0 && g->values[MOMENTUM] == 0;
}

/** Eq. 7 to 9 of the paper, in the order of diffusers' guider. */
static void combine(pld_guidance *g, pld_guidance_step *step) {
    const float *unconditional = step->predictions[PLD_BRANCH_UNCONDITIONAL];
    const float *conditional = step->predictions[PLD_BRANCH_CONDITIONAL];
    const float momentum = (float)g->values[MOMENTUM];
    float *average = g->state;
    for (size_t i = 0; i < step->count; i++) {
        average[i] = conditional[i] - unconditional[i] + momentum * average[i];
    }
    const double norm = sqrt(pld_guidance_dot(average, average, step->count));
    const double bound = g->values[NORM];
    const double shrink = bound > 0 && norm > bound ? bound / norm : 1;
    const double squares = pld_guidance_dot(conditional, conditional, step->count);
    const double parallel =
        squares > 0 ? shrink * pld_guidance_dot(average, conditional, step->count) / squares : 0;
    for (size_t i = 0; i < step->count; i++) {
        const double update =
            shrink * (double)average[i] + (g->values[ETA] - 1) * parallel * (double)conditional[i];
        step->guided[i] = unconditional[i] + (float)(g->values[SCALE] * update);
    }
}

const pld_guidance_method pld_guidance_apg = {
    .name = "apg",
    .description =
        "adaptive projected guidance: CFG with momentum, a bounded norm and less of the part parallel "
        "to c; for high scales",
    .paper = "Sadat et al. 2024, arXiv 2410.02416",
    .evaluations = "2",
    .keys = keys,
    .key_count = PLD_GUIDANCE_KEY_COUNT(keys),
    .role = PLD_GUIDANCE_MAIN,
    .branches = PLD_BRANCH_BIT(PLD_BRANCH_UNCONDITIONAL) | PLD_BRANCH_BIT(PLD_BRANCH_CONDITIONAL),
    .buffers = 1,
    .settle = pld_guidance_settle_scale_above_1,
    .neutral = neutral,
    .combine = combine,
};
