/* SPDX-License-Identifier: Apache-2.0 */
/* Normalised attention guidance: away from the negative prompt inside cross-attention and joint attention. */
#include "sampling/guidance/methods.h"

enum { SCALE, TAU, ALPHA, LAYERS };
/** Perturbed branches are left as they are: each would need a negative one of its own. */
enum { JOINT_BRANCHES = PLD_BRANCH_BIT(PLD_BRANCH_CONDITIONAL) | PLD_BRANCH_BIT(PLD_BRANCH_NEGATIVE) };

static const pld_guidance_key keys[] = {
    {.name = "scale",
     .kind = PLD_GUIDANCE_NUMBER,
     .fallback = 5,
     .minimum = 1,
     .maximum = 100,
     .help = "s of s z+ - (s - 1) z-; 1 is off"},
    {.name = "tau",
     .kind = PLD_GUIDANCE_NUMBER,
     .fallback = 2.5,
     .minimum = 1,
     .maximum = 100,
     .help = "limit on the L1 norm, relative to that of z+"},
    {.name = "alpha",
     .kind = PLD_GUIDANCE_NUMBER,
     .fallback = 0.25,
     .minimum = 0,
     .maximum = 1,
     .help = "share of the guided output; 0 is off"},
    {.name = "layers",
     .kind = PLD_GUIDANCE_LAYERS,
     .fallback_text = "all",
     .help = "attentions to the text that it acts on"},
};

static bool neutral(const pld_guidance *g) {
    return g->values[SCALE] == 1 || g->values[ALPHA] == 0;
}

static void effect(const pld_guidance *g, pld_attention_effect *e) {
    *e = (pld_attention_effect){.variant = "nag",
                                .layers = g->layers,
                                .branches = PLD_BRANCHES_PROMPTED,
                                .joint_branches = JOINT_BRANCHES,
                                .scale = g->values[SCALE],
                                .limit = g->values[TAU],
                                .blend = g->values[ALPHA]};
}

const pld_guidance_method pld_guidance_nag = {
    .name = "nag",
    .description =
        "normalised attention guidance: attention to the prompt, z+, and to the negative prompt, z-, "
        "extrapolated, bounded and blended; gives negative prompts to models without CFG",
    .paper = "Chen et al. 2025, arXiv 2505.21179",
    .evaluations = "+0, +1 in joint attention",
    .keys = keys,
    .key_count = PLD_GUIDANCE_KEY_COUNT(keys),
    .role = PLD_GUIDANCE_NETWORK,
    .texts = PLD_BRANCH_BIT(PLD_BRANCH_UNCONDITIONAL),
    .joint_branches = PLD_BRANCH_BIT(PLD_BRANCH_NEGATIVE),
    .neutral = neutral,
    .effect = effect,
};
