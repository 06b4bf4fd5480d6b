/* SPDX-License-Identifier: Apache-2.0 */
/* What a prompt and the picture's sizes give to every evaluation. */
#include "models/pixart/pixart.h"
#include "nn/sinusoids.h"

/** x through two linear layers with SiLU between them. */
static pld_value_id embedder(pld_builder *b, const char *name, pld_value_id x, int64_t width) {
    size_t mark = pld_scope_enter(b, "%s", name);
    x = pld_activate(b, pld_linear(b, "linear_1", x, width, PLD_BIAS), PLD_SILU);
    x = pld_linear(b, "linear_2", x, width, PLD_BIAS);
    pld_scope_leave(b, mark);
    return x;
}

/** [embedding of the height, of the width, of the aspect ratio], a third of the width each. */
static void size_embedding(pld_builder *b, const pld_pixart_config *c, pld_condition_values *values) {
    const int64_t third = pld_pixart_width(c) / PLD_PIXART_SIZES;
    values->told = pld_input(b, 1, 1, 1, (int64_t)PLD_PIXART_SIZES * PLD_PIXART_SINUSOIDS);
    size_t mark = pld_scope_enter(b, "adaln_single.emb");
    pld_value_id sizes = pld_take(b, values->told, 0, 2, 1, PLD_PIXART_SINUSOIDS);
    sizes = embedder(b, "resolution_embedder", sizes, third);
    pld_value_id ratio =
        pld_take(b, values->told, (int64_t)2 * PLD_PIXART_SINUSOIDS, 1, 1, PLD_PIXART_SINUSOIDS);
    ratio = embedder(b, "aspect_ratio_embedder", ratio, third);
    pld_scope_leave(b, mark);
    pld_offer(b, pld_concat(b, pld_take(b, sizes, 0, 1, 1, 2 * third), ratio));
}

/** caption_projection: two linear layers with the tanh approximation of GELU between them. */
static pld_value_id projected_text(pld_builder *b, const pld_pixart_config *c, pld_value_id states) {
    size_t mark = pld_scope_enter(b, "caption_projection");
    pld_value_id x = pld_linear(b, "linear_1", states, pld_pixart_width(c), PLD_BIAS);
    x = pld_linear(b, "linear_2", pld_activate(b, x, PLD_GELU_TANH), pld_pixart_width(c), PLD_BIAS);
    pld_scope_leave(b, mark);
    pld_tap(b, "caption_projection", x);
    return x;
}

pld_status pld_pixart_condition_build(pld_plan *plan, const void *config,
                                      const pld_condition_request *request, pld_condition_values *values,
                                      pld_error *error) {
    const pld_pixart_config *c = config;
    pld_builder b;
    pld_builder_init(&b, plan, error);
    plan->name = "text_keys_and_values";
    *values = (pld_condition_values){pld_input(&b, 1, request->tokens, 1, c->caption_width), PLD_NO_VALUE};
    if (c->sizes) {
        size_embedding(&b, c, values);
    }
    pld_value_id text = projected_text(&b, c, values->states);
    for (size_t i = 0; i < request->site_count; i++) {
        if (request->sites[i].kind == PLD_SITE_CROSS) {
            size_t mark = pld_scope_enter(&b, "%s", request->sites[i].name);
            pld_offer(&b, pld_linear(&b, "to_k", text, pld_pixart_width(c), pld_in_f32(c->attention_bias)));
            pld_offer(&b, pld_linear(&b, "to_v", text, pld_pixart_width(c), pld_in_f32(c->attention_bias)));
            pld_scope_leave(&b, mark);
        }
    }
    return b.status;
}

void pld_pixart_tell(const void *config, const float *pooled, const pld_picture_facts *picture, float *told) {
    (void)config;
    (void)pooled;
    const pld_sinusoids sinusoids = {PLD_PIXART_SINUSOIDS, true, 0};
    const float sizes[PLD_PIXART_SIZES] = {(float)picture->height, (float)picture->width,
                                           (float)((double)picture->height / (double)picture->width)};
    pld_sinusoids_of(&sinusoids, sizes, PLD_PIXART_SIZES, told);
}
