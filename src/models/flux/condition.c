/* SPDX-License-Identifier: Apache-2.0 */
/* What a prompt and the guidance scale give to every evaluation. */
#include <string.h>

#include "models/flux/flux.h"
#include "nn/sinusoids.h"

/** Two layers with SiLU between them; `plus` (PLD_NO_VALUE: nothing) is added. */
static pld_value_id embedder(pld_builder *b, const char *name, pld_value_id x, int64_t width,
                             pld_value_id plus) {
    size_t mark = pld_scope_enter(b, "time_text_embed.%s", name);
    x = pld_activate(b, pld_linear(b, "linear_1", x, width, PLD_BIAS), PLD_SILU);
    x = pld_linear(b, "linear_2", x, width, pld_plus(plus));
    pld_scope_leave(b, mark);
    return x;
}

pld_status pld_flux_condition_build(pld_plan *plan, const void *config, const pld_condition_request *request,
                                    pld_condition_values *values, pld_error *error) {
    const pld_flux_config *c = config;
    const int64_t width = pld_flux_width(c);
    const int64_t told = c->pooled_width + (c->guidance_embeds ? PLD_FLUX_SINUSOIDS : 0);
    pld_builder b;
    pld_builder_init(&b, plan, error);
    plan->name = "text_embedding";
    *values = (pld_condition_values){pld_input(&b, 1, request->tokens, 1, c->text_width),
                                     pld_input(&b, 1, 1, 1, told)};
    pld_value_id guidance = PLD_NO_VALUE;
    if (c->guidance_embeds) {
        pld_value_id scale = pld_take(&b, values->told, c->pooled_width, 1, 1, PLD_FLUX_SINUSOIDS);
        guidance = embedder(&b, "guidance_embedder", scale, width, PLD_NO_VALUE);
    }
    pld_value_id pooled = pld_take(&b, values->told, 0, 1, 1, c->pooled_width);
    pld_offer(&b, embedder(&b, "text_embedder", pooled, width, guidance));
    pld_offer(&b, pld_linear(&b, "context_embedder", values->states, width, pld_in_f32(true)));
    return b.status;
}

void pld_flux_tell(const void *config, const float *pooled, const pld_picture_facts *picture, float *told) {
    const pld_flux_config *c = config;
    const pld_sinusoids sinusoids = {PLD_FLUX_SINUSOIDS, true, 0};
    const float guidance = (float)picture->distilled_guidance * 1000;
    memcpy(told, pooled, (size_t)c->pooled_width * sizeof *told);
    if (c->guidance_embeds) {
        pld_sinusoids_of(&sinusoids, &guidance, 1, told + c->pooled_width);
    }
}
