/* SPDX-License-Identifier: Apache-2.0 */
/* What a prompt and the guidance scale give to every evaluation. */
#include "models/sana/sana.h"
#include "nn/sinusoids.h"

static const double caption_norm_epsilon = 1e-5;

/** The guidance scale, as what joins the embedding of the timestep. */
static void guidance_embedding(pld_builder *b, const pld_sana_config *c, pld_condition_values *values) {
    values->told = pld_input(b, 1, 1, 1, PLD_SANA_SINUSOIDS);
    size_t mark = pld_scope_enter(b, "time_embed.guidance_embedder");
    pld_value_id x = pld_linear(b, "linear_1", values->told, pld_sana_width(c), PLD_BIAS);
    x = pld_linear(b, "linear_2", pld_activate(b, x, PLD_SILU), pld_sana_width(c), PLD_BIAS);
    pld_scope_leave(b, mark);
    pld_offer(b, x);
}

/** caption_projection, two linear layers with the tanh approximation of GELU between them, and caption_norm. */
static pld_value_id projected_text(pld_builder *b, const pld_sana_config *c, pld_value_id states) {
    size_t mark = pld_scope_enter(b, "caption_projection");
    pld_value_id x = pld_linear(b, "linear_1", states, pld_sana_width(c), PLD_BIAS);
    x = pld_linear(b, "linear_2", pld_activate(b, x, PLD_GELU_TANH), pld_sana_width(c), PLD_BIAS);
    pld_scope_leave(b, mark);
    pld_tap(b, "caption_projection", x);
    x = pld_rms_norm(b, "caption_norm", x, caption_norm_epsilon);
    pld_tap(b, "caption_norm", x);
    return x;
}

pld_status pld_sana_condition_build(pld_plan *plan, const void *config, const pld_condition_request *request,
                                    pld_condition_values *values, pld_error *error) {
    const pld_sana_config *c = config;
    pld_builder b;
    pld_builder_init(&b, plan, error);
    plan->name = "text_keys_and_values";
    *values = (pld_condition_values){pld_input(&b, 1, request->tokens, 1, c->caption_width), PLD_NO_VALUE};
    if (c->guidance_embeds) {
        guidance_embedding(&b, c, values);
    }
    pld_value_id text = projected_text(&b, c, values->states);
    for (size_t i = 0; i < request->site_count; i++) {
        if (request->sites[i].kind == PLD_SITE_CROSS) {
            size_t mark = pld_scope_enter(&b, "%s", request->sites[i].name);
            pld_value_id key = pld_linear(&b, "to_k", text, pld_sana_width(c), pld_in_f32(true));
            pld_offer(&b, pld_sana_qk_norm(&b, c, "norm_k", key, c->cross_heads));
            pld_offer(&b, pld_linear(&b, "to_v", text, pld_sana_width(c), pld_in_f32(true)));
            pld_scope_leave(&b, mark);
        }
    }
    return b.status;
}

void pld_sana_tell(const void *config, const float *pooled, const pld_picture_facts *picture, float *told) {
    (void)pooled;
    const pld_sana_config *c = config;
    const pld_sinusoids sinusoids = {PLD_SANA_SINUSOIDS, true, 0};
    const float guidance = (float)picture->distilled_guidance * (float)c->guidance_scale;
    pld_sinusoids_of(&sinusoids, &guidance, 1, told);
}
