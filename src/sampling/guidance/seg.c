/* SPDX-License-Identifier: Apache-2.0 */
/* Smoothed energy guidance: away from a branch whose self-attention queries are blurred over the picture. */
#include <math.h>

#include "sampling/guidance/methods.h"

enum { SCALE, SIGMA, LAYERS };

static const pld_guidance_key keys[] = {
    {.name = "scale",
     .kind = PLD_GUIDANCE_NUMBER,
     .fallback = 3,
     .minimum = 0,
     .maximum = 100,
     .help = "strength; 0 is off"},
    {.name = "sigma",
     .kind = PLD_GUIDANCE_NUMBER,
     .fallback = INFINITY,
     .minimum = 0.01,
     .maximum = 9999,
     .takes_infinity = true,
     .help = "of the Gaussian, in tokens; inf is the mean over the picture"},
    {.name = "layers",
     .kind = PLD_GUIDANCE_LAYERS,
     .fallback_text = "the model's own",
     .help = "self-attentions whose queries are blurred"},
};

static pld_status settle(pld_guidance *g, const pld_guidance_request *request, pld_error *error) {
    (void)error;
    pld_guidance_settle_layers(g, LAYERS, request);
    return PLD_OK;
}

static bool neutral(const pld_guidance *g) {
    return g->values[SCALE] == 0;
}

static void combine(pld_guidance *g, pld_guidance_step *step) {
    pld_guidance_extrapolate(step->guided, g->values[SCALE], step->predictions[PLD_BRANCH_CONDITIONAL],
                             step->predictions[PLD_BRANCH_BLURRED], step->count, step->guided);
}

static void effect(const pld_guidance *g, pld_attention_effect *e) {
    *e = (pld_attention_effect){.variant = "blur",
                                .layers = g->layers,
                                .branches = PLD_BRANCH_BIT(PLD_BRANCH_BLURRED),
                                .sigma = g->values[SIGMA]};
}

const pld_guidance_method pld_guidance_seg = {
    .name = "seg",
    .description = "smoothed energy guidance: adds scale (c - p), where the self-attention queries of p are "
                   "blurred over the picture; with or without CFG",
    .paper = "Hong 2024, arXiv 2408.00760",
    .evaluations = "+1",
    .keys = keys,
    .key_count = PLD_GUIDANCE_KEY_COUNT(keys),
    .role = PLD_GUIDANCE_TERM,
    .branches = PLD_BRANCH_BIT(PLD_BRANCH_CONDITIONAL) | PLD_BRANCH_BIT(PLD_BRANCH_BLURRED),
    .settle = settle,
    .neutral = neutral,
    .combine = combine,
    .effect = effect,
};
