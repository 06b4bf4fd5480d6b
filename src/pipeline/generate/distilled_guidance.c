/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/generate/distilled_guidance.h"

#include <math.h>

#include "core/memory.h"
#include "core/text.h"

/** The number that a text is; NaN: it is none. */
static double number_of(const char *text) {
    const char *end = NULL;
    const double number = text ? pld_parse_real(text, &end) : NAN;
    return text && end != text && *end == '\0' ? number : NAN;
}

pld_status pld_distilled_guidance_resolve(pld_generation *g) {
    const pld_generate_options *o = g->options;
    const double own = g->model->denoiser_facts.distilled_guidance;
    double asked = o->distilled_guidance;
    for (size_t i = 0; o->guidance && i < o->guidance_count && isnan(asked); i++) {
        asked = number_of(o->guidance[i]);
    }
    g->distilled_guidance = isnan(asked) ? own : asked;
    if (!isnan(asked) && own == 0) {
        return pld_fail(
            g->error, PLD_ERROR_ARGUMENT,
            "distilled-guidance: this model is not told of a guidance scale, as guidance-distilled "
            "ones such as SANA-Sprint are; use cfg-scale");
    }
    return isnan(asked) || (asked >= 0 && asked <= PLD_MOST_SCALE)
               ? PLD_OK
               : pld_fail(g->error, PLD_ERROR_ARGUMENT,
                          "distilled-guidance: expected a number from 0 to %d, found %g", (int)PLD_MOST_SCALE,
                          asked);
}

pld_status pld_distilled_guidance_leave_out(const pld_generation *g, const char ***texts, size_t *count) {
    const pld_generate_options *o = g->options;
    *count = 0;
    *texts = pld_allocate(o->guidance_count + 1, sizeof **texts);
    if (!*texts) {
        return pld_fail_memory(g->error, (o->guidance_count + 1) * sizeof **texts, "guidance");
    }
    for (size_t i = 0; i < o->guidance_count; i++) {
        if (isnan(number_of(o->guidance[i]))) {
            (*texts)[(*count)++] = o->guidance[i];
        }
    }
    return PLD_OK;
}
