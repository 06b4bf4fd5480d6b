/* SPDX-License-Identifier: Apache-2.0 */
/* A bound on the norm of the guided prediction, by that of the conditional one, as in Z-Image's pipeline. */
#include <math.h>

#include "sampling/guidance/methods.h"

enum { LIMIT };

static const pld_guidance_key keys[] = {{.name = "limit",
                                         .kind = PLD_GUIDANCE_NUMBER,
                                         .fallback = 1,
                                         .minimum = 0,
                                         .maximum = 100,
                                         .help = "in norms of the conditional prediction; 0 is off"}};

static bool neutral(const pld_guidance *g) {
    return g->values[LIMIT] == 0;
}

static double norm_of(const float *x, size_t count) {
    return sqrt(pld_guidance_dot(x, x, count));
}

/** x·min(1, limit·‖c‖ / ‖x‖) */
static void combine(pld_guidance *g, pld_guidance_step *step) {
    const double most = g->values[LIMIT] * norm_of(step->predictions[PLD_BRANCH_CONDITIONAL], step->count);
    const double norm = norm_of(step->guided, step->count);
    const float factor = (float)(most / norm);
    for (size_t i = 0; norm > most && i < step->count; i++) {
        step->guided[i] *= factor;
    }
}

const pld_guidance_method pld_guidance_normalization = {
    .name = "cfg-normalization",
    .description =
        "shrinks the guided prediction x to limit x the norm of the conditional one, where it is larger",
    .paper = "diffusers' cfg_normalization, of Z-Image's pipeline",
    .evaluations = "+0",
    .keys = keys,
    .key_count = PLD_GUIDANCE_KEY_COUNT(keys),
    .role = PLD_GUIDANCE_AFTER,
    .branches = PLD_BRANCH_BIT(PLD_BRANCH_CONDITIONAL),
    .neutral = neutral,
    .combine = combine,
};
