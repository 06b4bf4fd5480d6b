/* SPDX-License-Identifier: Apache-2.0 */
/* FreeU: in the first two up blocks more backbone, and less of the low frequencies of the skips. */
#include <math.h>

#include "sampling/guidance/methods.h"

enum { B1, B2, S1, S2 };

#define FACTOR(name_, help_)                                                                                 \
    {                                                                                                        \
        .name = (name_), .kind = PLD_GUIDANCE_NUMBER, .fallback = NAN, .minimum = 0, .maximum = 10,          \
        .fallback_text = "the model's own", .help = (help_)                                                  \
    }

static const pld_guidance_key keys[] = {
    FACTOR("b1", "backbone of up block 0; 1 is off"),
    FACTOR("b2", "backbone of up block 1"),
    FACTOR("s1", "low frequencies of its skips; 1 is off"),
    FACTOR("s2", "low frequencies of its skips"),
};

static pld_status settle(pld_guidance *g, const pld_guidance_request *request, pld_error *error) {
    const pld_block_scales *own = &request->default_block_scales;
    if (own->backbone[0] == 0) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "guidance freeu: it acts on the up blocks of a U-Net, and this model's network has "
                        "none; leave it "
                        "out");
    }
    const double fallbacks[] = {(double)own->backbone[0], (double)own->backbone[1], (double)own->skip[0],
                                (double)own->skip[1]};
    for (size_t i = 0; i < PLD_GUIDANCE_KEY_COUNT(keys); i++) {
        g->values[i] = g->given[i] ? g->values[i] : fallbacks[i];
    }
    return PLD_OK;
}

static bool neutral(const pld_guidance *g) {
    return g->values[B1] == 1 && g->values[B2] == 1 && g->values[S1] == 1 && g->values[S2] == 1;
}

static void block_scales(const pld_guidance *g, pld_block_scales *scales) {
    *scales = (pld_block_scales){{(float)g->values[B1], (float)g->values[B2]},
                                 {(float)g->values[S1], (float)g->values[S2]}};
}

const pld_guidance_method pld_guidance_freeu = {
    .name = "freeu",
    .description = "FreeU: up blocks 0 and 1 with half the backbone's channels times b1, b2 and the lowest "
                   "frequencies of the skips times s1, s2",
    .paper = "Si et al. 2023, arXiv 2309.11497",
    .evaluations = "+0",
    .keys = keys,
    .key_count = PLD_GUIDANCE_KEY_COUNT(keys),
    .role = PLD_GUIDANCE_NETWORK,
    .settle = settle,
    .neutral = neutral,
    .block_scales = block_scales,
};
