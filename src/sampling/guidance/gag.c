/* SPDX-License-Identifier: Apache-2.0 */
/* Geometry-aware attention guidance: of the step from dense to sparse output only the parallel part. */
#include "sampling/guidance/methods.h"

enum { SCALE, ETA, ALPHA, LAYERS };

static const pld_guidance_key keys[] = {
    {.name = "scale",
     .kind = PLD_GUIDANCE_NUMBER,
     .fallback = 10,
     .minimum = 0,
     .maximum = 100,
     .help = "strength; 0 is the sparse output alone"},
    {.name = "eta",
     .kind = PLD_GUIDANCE_NUMBER,
     .fallback = 15,
     .minimum = 0,
     .maximum = 1e6,
     .help = "limit on the norm of the parallel part"},
    {.name = "alpha",
     .kind = PLD_GUIDANCE_NUMBER,
     .fallback = 1.5,
     .minimum = 1.001,
     .maximum = 2,
     .help = "sparsity of entmax"},
    {.name = "layers",
     .kind = PLD_GUIDANCE_LAYERS,
     .fallback_text = "all",
     .help = "cross-attentions that it acts on, in place of PLADIS"},
};

static void effect(const pld_guidance *g, pld_attention_effect *e) {
    *e = (pld_attention_effect){.variant = "gag",
                                .layers = g->layers,
                                .branches = PLD_BRANCHES_ALL,
                                .scale = g->values[SCALE],
                                .limit = g->values[ETA],
                                .alpha = g->values[ALPHA]};
}

const pld_guidance_method pld_guidance_gag = {
    .name = "gag",
    .description =
        "experimental: geometry-aware attention guidance, in place of PLADIS: s + scale r with s the "
        "sparse output, r the part of (s - dense) parallel to s, bounded by eta",
    .paper = "Kim 2026, arXiv 2603.02531",
    .evaluations = "+0",
    .keys = keys,
    .key_count = PLD_GUIDANCE_KEY_COUNT(keys),
    .role = PLD_GUIDANCE_NETWORK,
    .effect = effect,
};
