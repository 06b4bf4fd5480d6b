/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "models/anima_conditioner/anima_conditioner.h"
#include "models/blocks/angles.h"

static const double epsilon = 1e-6;

/** What the table of angles depends on. */
typedef struct places {
    int64_t tokens, head_size;
} places;

/** table [2, tokens, head_size / 2]: cosines and sines of token·10000^(−2i / head_size). */
static void fill(const void *description, float *table) {
    const places *p = description;
    const int64_t half = p->head_size / 2, sines = p->tokens * half;
    for (int64_t token = 0; token < p->tokens; token++) {
        float *at = table + token * half;
        pld_rotary_angles((double)token, p->head_size, 10000, at, at + sines);
    }
}

/** NAME_proj of x, with the norm NAME_norm and turned by the tokens' places. */
static pld_value_id heads_of(pld_builder *b, const pld_anima_conditioner_config *c, const char *name,
                             pld_value_id x) {
    char projection[16], norm[16];
    snprintf(projection, sizeof projection, "%s_proj", name);
    snprintf(norm, sizeof norm, "%s_norm", name);
    x = pld_linear(b, projection, x, c->width, PLD_NO_BIAS);
    if (b->status != PLD_OK) {
        return PLD_NO_VALUE;
    }
    const places description = {b->plan->values[x].height, c->width / c->heads};
    const pld_rotation_options options = {.heads = c->heads,
                                          .norm = norm,
                                          .epsilon = epsilon,
                                          .width = description.head_size,
                                          .halves = true,
                                          .fill = fill,
                                          .description = &description,
                                          .description_bytes = sizeof description};
    return pld_rotate_heads(b, x, &options);
}

/** x += o_proj(attention(y, to)), in the module NAME. */
static void attend(pld_builder *b, const pld_anima_conditioner_config *c, const char *name, pld_value_id y,
                   pld_value_id to, pld_value_id x) {
    size_t mark = pld_scope_enter(b, "%s", name);
    pld_value_id query = heads_of(b, c, "q", y), key = heads_of(b, c, "k", to);
    pld_value_id value = pld_linear(b, "v_proj", to, c->width, PLD_NO_BIAS);
    pld_attention_description attention = pld_self_attention(query, key, value, c->heads);
    attention.kind = to == y ? PLD_SITE_SELF : PLD_SITE_CROSS;
    pld_linear(b, "o_proj", pld_attend(b, attention), c->width, pld_into(x, false));
    pld_scope_leave(b, mark);
}

static void feed_forward(pld_builder *b, const pld_anima_conditioner_config *c, pld_value_id x) {
    pld_value_id y = pld_rms_norm(b, "norm_mlp", x, epsilon);
    pld_value_id hidden = pld_activate(b, pld_linear(b, "mlp.0", y, c->hidden, PLD_BIAS), PLD_GELU);
    pld_linear(b, "mlp.2", hidden, c->width, pld_into(x, true));
}

static void conditioner_block(pld_builder *b, const pld_anima_conditioner_config *c, int64_t index,
                              pld_value_id source, pld_value_id x) {
    char name[32];
    snprintf(name, sizeof name, "blocks.%d", (int)index);
    size_t mark = pld_scope_enter(b, "%s", name);
    pld_value_id y = pld_rms_norm(b, "norm_self_attn", x, epsilon);
    attend(b, c, "self_attn", y, y, x);
    if (source != PLD_NO_VALUE) { /* else it would attend to nothing, which adds zeros */
        attend(b, c, "cross_attn", pld_rms_norm(b, "norm_cross_attn", x, epsilon), source, x);
    }
    feed_forward(b, c, x);
    pld_scope_leave(b, mark);
    pld_tap(b, name, x);
}

pld_status pld_anima_conditioner_build(pld_plan *plan, const void *config,
                                       const pld_conditioner_request *request, pld_conditioner_values *values,
                                       pld_error *error) {
    const pld_anima_conditioner_config *c = config;
    pld_builder b;
    pld_builder_init(&b, plan, error);
    plan->name = "text_conditioner";
    values->source = PLD_NO_VALUE;
    if (request->source_tokens > 0) {
        values->source = pld_input(&b, 1, request->source_tokens, 1, c->source_width);
    }
    pld_value_id x = pld_embed(&b, "embed", NULL, 1, request->tokens, c->vocabulary, c->target_width);
    pld_tap(&b, "embed", x);
    if (c->width != c->target_width) {
        x = pld_linear(&b, "in_proj", x, c->width, PLD_BIAS);
    }
    for (int64_t i = 0; i < c->layers; i++) {
        conditioner_block(&b, c, i, values->source, x);
    }
    x = pld_linear(&b, "out_proj", x, c->target_width, PLD_BIAS);
    pld_tap(&b, "out_proj", x);
    x = pld_rms_norm(&b, "norm", x, epsilon);
    pld_keep(&b, x);
    values->states = x;
    return b.status;
}
