/* SPDX-License-Identifier: Apache-2.0 */
/* Perturbed-attention guidance: away from a branch whose self-attention maps are the identity. */
#include "sampling/guidance/methods.h"

enum { SCALE, LAYERS };

static const pld_guidance_key keys[] = {
    {.name = "scale",
     .kind = PLD_GUIDANCE_NUMBER,
     .fallback = 3,
     .minimum = 0,
     .maximum = 100,
     .help = "strength; 0 is off"},
    {.name = "layers",
     .kind = PLD_GUIDANCE_LAYERS,
     .fallback_text = "the model's own",
     .help = "self-attentions whose map is the identity"},
};

static pld_status settle(pld_guidance *g, const pld_guidance_request *request, pld_error *error) {
    (void)error;
    pld_guidance_settle_layers(g, LAYERS, request);
    return PLD_OK;
}

static bool neutral(const pld_guidance *g) {
    return g->values[SCALE] == 0;
}

/** + p·(c − c_p), eq. 15 */
static void combine(pld_guidance *g, pld_guidance_step *step) {
    pld_guidance_extrapolate(step->guided, g->values[SCALE], step->predictions[PLD_BRANCH_CONDITIONAL],
                             step->predictions[PLD_BRANCH_IDENTITY], step->count, step->guided);
}

static void effect(const pld_guidance *g, pld_attention_effect *e) {
    *e = (pld_attention_effect){
        .variant = "identity", .layers = g->layers, .branches = PLD_BRANCH_BIT(PLD_BRANCH_IDENTITY)};
}

const pld_guidance_method pld_guidance_pag = {
    .name = "pag",
    .description = "perturbed-attention guidance: adds scale (c - p), where the self-attention maps of p are "
                   "the identity; with or without CFG",
    .paper = "Ahn et al. 2024, arXiv 2403.17377",
    .evaluations = "+1",
    .keys = keys,
    .key_count = PLD_GUIDANCE_KEY_COUNT(keys),
    .role = PLD_GUIDANCE_TERM,
    .branches = PLD_BRANCH_BIT(PLD_BRANCH_CONDITIONAL) | PLD_BRANCH_BIT(PLD_BRANCH_IDENTITY),
    .settle = settle,
    .neutral = neutral,
    .combine = combine,
    .effect = effect,
};
