/* SPDX-License-Identifier: Apache-2.0 */
/* What a prompt and the guidance scale give to every evaluation. */
#include "models/flux2/flux2.h"
#include "nn/sinusoids.h"

/** Offer what the guidance scale, of which `told` are sinusoids, adds to the embedding of the timestep. */
static void guidance_embedding(pld_builder *b, pld_value_id told, int64_t width) {
    size_t mark = pld_scope_enter(b, "time_guidance_embed.guidance_embedder");
    pld_value_id x = pld_activate(b, pld_linear(b, "linear_1", told, width, PLD_NO_BIAS), PLD_SILU);
    pld_offer(b, pld_linear(b, "linear_2", x, width, PLD_NO_BIAS));
    pld_scope_leave(b, mark);
}

pld_status pld_flux2_condition_build(pld_plan *plan, const void *config, const pld_condition_request *request,
                                     pld_condition_values *values, pld_error *error) {
    const pld_flux2_config *c = config;
    pld_builder b;
    pld_builder_init(&b, plan, error);
    plan->name = "text_embedding";
    *values = (pld_condition_values){pld_input(&b, 1, request->tokens, 1, c->text_width), PLD_NO_VALUE};
    if (c->guidance_embeds) {
        values->told = pld_input(&b, 1, 1, 1, c->sinusoids);
        guidance_embedding(&b, values->told, pld_flux2_width(c));
    }
    pld_offer(&b, pld_linear(&b, "context_embedder", values->states, pld_flux2_width(c), pld_in_f32(false)));
    return b.status;
}

void pld_flux2_tell(const void *config, const float *pooled, const pld_picture_facts *picture, float *told) {
    const pld_flux2_config *c = config;
    const pld_sinusoids sinusoids = {c->sinusoids, true, 0};
    const float guidance = (float)picture->distilled_guidance * 1000;
    (void)pooled;
    if (c->guidance_embeds) {
        pld_sinusoids_of(&sinusoids, &guidance, 1, told);
    }
}
