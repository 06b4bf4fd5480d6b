/* SPDX-License-Identifier: Apache-2.0 */
/* Guidance in a part of the steps only; the others take the conditional prediction, for one evaluation. */
#include "sampling/guidance/methods.h"

enum { START, END };

/* The defaults are the paper's interval of noise levels for SDXL, (0.28, 5.42], on the schedule of Stable
 * Diffusion with timesteps evenly spaced. */
static const pld_guidance_key keys[] = {
    {.name = "start",
     .kind = PLD_GUIDANCE_NUMBER,
     .fallback = 0.2,
     .minimum = 0,
     .maximum = 1,
     .help = "fraction of the steps where guidance starts"},
    {.name = "end",
     .kind = PLD_GUIDANCE_NUMBER,
     .fallback = 0.9,
     .minimum = 0,
     .maximum = 1,
     .help = "fraction of the steps where guidance ends"},
};

static pld_status settle(pld_guidance *g, const pld_guidance_request *request, pld_error *error) {
    (void)request;
    return g->values[START] < g->values[END]
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_ARGUMENT,
                          "guidance interval: start must be below end, found %g and %g; none turns CFG off",
                          g->values[START], g->values[END]);
}

static bool neutral(const pld_guidance *g) {
    return g->values[START] == 0 && g->values[END] == 1;
}

static void interval(const pld_guidance *g, double *start, double *end) {
    *start = g->values[START];
    *end = g->values[END];
}

const pld_guidance_method pld_guidance_interval = {
    .name = "interval",
    .description = "guides predictions only in steps floor(start n) <= i < floor(end n); c in the others",
    .paper = "Kynkaanniemi et al. 2024, arXiv 2404.07724",
    .evaluations = "1 outside the interval",
    .keys = keys,
    .key_count = PLD_GUIDANCE_KEY_COUNT(keys),
    .role = PLD_GUIDANCE_STEPS,
    .settle = settle,
    .neutral = neutral,
    .interval = interval,
};
