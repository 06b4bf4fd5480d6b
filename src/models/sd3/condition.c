/* SPDX-License-Identifier: Apache-2.0 */
/* What a prompt gives to every evaluation. */
#include <string.h>

#include "models/sd3/sd3.h"

/** Two layers with SiLU between them. */
static pld_value_id pooled_embedding(pld_builder *b, pld_value_id x, int64_t width) {
    size_t mark = pld_scope_enter(b, "time_text_embed.text_embedder");
    x = pld_activate(b, pld_linear(b, "linear_1", x, width, PLD_BIAS), PLD_SILU);
    x = pld_linear(b, "linear_2", x, width, PLD_BIAS);
    pld_scope_leave(b, mark);
    return x;
}

pld_status pld_sd3_condition_build(pld_plan *plan, const void *config, const pld_condition_request *request,
                                   pld_condition_values *values, pld_error *error) {
    const pld_sd3_config *c = config;
    const int64_t width = pld_sd3_width(c);
    pld_builder b;
    pld_builder_init(&b, plan, error);
    plan->name = "text_embedding";
    *values = (pld_condition_values){pld_input(&b, 1, request->tokens, 1, c->text_width),
                                     pld_input(&b, 1, 1, 1, c->pooled_width)};
    pld_offer(&b, pooled_embedding(&b, values->told, width));
    pld_offer(&b, pld_linear(&b, "context_embedder", values->states, width, pld_in_f32(true)));
    return b.status;
}

void pld_sd3_tell(const void *config, const float *pooled, const pld_picture_facts *picture, float *told) {
    const pld_sd3_config *c = config;
    (void)picture;
    memcpy(told, pooled, (size_t)c->pooled_width * sizeof *told);
}
