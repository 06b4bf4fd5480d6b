/* SPDX-License-Identifier: Apache-2.0 */
/* Skip-layer guidance: away from a branch that goes without some blocks. The rule and its numbers are those of Stability
 * AI's Stable Diffusion 3.5 medium, as diffusers has them. */
#include "sampling/guidance/methods.h"

enum { SCALE, LAYERS, START, STOP };

static const pld_guidance_key keys[] = {
    {.name = "scale",
     .kind = PLD_GUIDANCE_NUMBER,
     .fallback = 2.8,
     .minimum = 0,
     .maximum = 100,
     .help = "strength; 0 is off"},
    {.name = "layers",
     .kind = PLD_GUIDANCE_LAYERS,
     .fallback_text = "the model's own",
     .help = "numbers of the blocks that are left out"},
    {.name = "start",
     .kind = PLD_GUIDANCE_NUMBER,
     .fallback = 0.01,
     .minimum = 0,
     .maximum = 1,
     .help = "fraction of the steps behind which it starts, the first never among them"},
    {.name = "stop",
     .kind = PLD_GUIDANCE_NUMBER,
     .fallback = 0.2,
     .minimum = 0,
     .maximum = 1,
     .help = "fraction of the steps before which it ends"},
};

static pld_status settle(pld_guidance *g, const pld_guidance_request *request, pld_error *error) {
    if (!request->default_blocks) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "guidance slg: this model has no blocks that can be left out, as those of Stable "
                        "Diffusion 3.5; use pag or seg");
    }
    if (!g->given[LAYERS] && !request->default_blocks[0]) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "guidance slg: no blocks are known to be the right ones for this model; give their "
                        "numbers, as layers=1+2");
    }
    if (!g->given[LAYERS]) {
        snprintf(g->layers, sizeof g->layers, "%s", request->default_blocks);
    }
    return g->values[START] < g->values[STOP]
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_ARGUMENT,
                          "guidance slg: start must be below stop, found %g and %g", g->values[START],
                          g->values[STOP]);
}

static bool neutral(const pld_guidance *g) {
    return g->values[SCALE] == 0;
}

/** start·n < i < stop·n */
static bool acts(const pld_guidance *g, size_t step, size_t steps) {
    return (double)step > g->values[START] * (double)steps && (double)step < g->values[STOP] * (double)steps;
}

/** + s·(c − c_s) */
static void combine(pld_guidance *g, pld_guidance_step *step) {
    pld_guidance_extrapolate(step->guided, g->values[SCALE], step->predictions[PLD_BRANCH_CONDITIONAL],
                             step->predictions[PLD_BRANCH_SKIPPED], step->count, step->guided);
}

static void skip(const pld_guidance *g, pld_block_effect *effect) {
    *effect = (pld_block_effect){.layers = g->layers, .branches = PLD_BRANCH_BIT(PLD_BRANCH_SKIPPED)};
}

const pld_guidance_method pld_guidance_slg = {
    .name = "slg",
    .description = "skip-layer guidance: adds scale (c - p) in steps start n < i < stop n, where p goes "
                   "without some blocks of the transformer; with or without CFG",
    .paper = "Stability AI 2024, Stable Diffusion 3.5 medium; Hyung et al. 2024, arXiv 2411.18664",
    .evaluations = "+1 in those steps",
    .keys = keys,
    .key_count = PLD_GUIDANCE_KEY_COUNT(keys),
    .role = PLD_GUIDANCE_TERM,
    .branches = PLD_BRANCH_BIT(PLD_BRANCH_CONDITIONAL) | PLD_BRANCH_BIT(PLD_BRANCH_SKIPPED),
    .settle = settle,
    .neutral = neutral,
    .acts = acts,
    .combine = combine,
    .skip = skip,
};
