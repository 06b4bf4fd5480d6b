/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "models/t5/t5.h"

/** x += o(attention(layer_norm(x))) of logits that are not scaled, with the bias that the first layer holds for all. */
static void self_attention(pld_builder *b, const pld_t5_config *c, pld_value_id bias, pld_value_id x) {
    const int64_t width = c->heads * c->head_size;
    pld_value_id normed = pld_rms_norm(b, "layer_norm", x, c->epsilon);
    size_t mark = pld_scope_enter(b, "SelfAttention");
    pld_value_id query = pld_linear(b, "q", normed, width, PLD_NO_BIAS);
    pld_value_id key = pld_linear(b, "k", normed, width, PLD_NO_BIAS);
    pld_value_id value = pld_linear(b, "v", normed, width, PLD_NO_BIAS);
    pld_attention_description attention = pld_self_attention(query, key, value, c->heads);
    attention.scale = 1;
    attention.relative_bias = bias;
    pld_linear(b, "o", pld_attend(b, attention), c->width, pld_into(x, false));
    pld_scope_leave(b, mark);
}

/** x += wo(wi_1(y)·gelu(wi_0(y))) for y = layer_norm(x), with the tanh approximation ("gelu_new"). */
static void feed_forward(pld_builder *b, const pld_t5_config *c, pld_value_id x) {
    pld_value_id normed = pld_rms_norm(b, "layer_norm", x, c->epsilon);
    size_t mark = pld_scope_enter(b, "DenseReluDense");
    pld_value_id hidden = pld_linear(b, "wi_1", normed, c->intermediate, pld_gated_by("wi_0", PLD_GELU_TANH));
    pld_linear(b, "wo", hidden, c->width, pld_into(x, false));
    pld_scope_leave(b, mark);
}

static pld_value_id relative_bias(pld_builder *b, const pld_t5_config *c, int64_t tokens) {
    size_t mark = pld_scope_enter(b, "encoder.block.0.layer.0.SelfAttention");
    pld_value_id bias =
        pld_relative_bias(b, "relative_attention_bias", tokens, c->buckets, c->most_distance, c->heads);
    pld_scope_leave(b, mark);
    return bias;
}

static void tap_hidden_state(pld_builder *b, int64_t index, pld_value_id x) {
    char name[32];
    snprintf(name, sizeof name, "hidden_states.%02d", (int)index);
    pld_tap(b, name, x);
}

static void encoder_block(pld_builder *b, const pld_t5_config *c, int64_t index, pld_value_id bias,
                          pld_value_id x) {
    size_t block = pld_scope_enter(b, "encoder.block.%d", (int)index);
    size_t mark = pld_scope_enter(b, "layer.0");
    self_attention(b, c, bias, x);
    pld_scope_leave(b, mark);
    mark = pld_scope_enter(b, "layer.1");
    feed_forward(b, c, x);
    pld_scope_leave(b, mark);
    pld_scope_leave(b, block);
}

/** Files hold the embedding under one of its two names, or both. */
static const char *embedding_name(const pld_parameters *parameters) {
    return pld_parameters_has(parameters, "encoder.embed_tokens.weight") &&
                   !pld_parameters_has(parameters, "shared.weight")
               ? "encoder.embed_tokens"
               : "shared";
}

pld_status pld_t5_build(pld_plan *plan, const void *config, const pld_text_request *o,
                        pld_text_values *values, pld_error *error) {
    const pld_t5_config *c = config;
    pld_builder b;
    pld_builder_init(&b, plan, error);
    plan->name = "text_encoder";
    pld_value_id bias = relative_bias(&b, c, o->tokens);
    pld_value_id x =
        pld_embed(&b, embedding_name(plan->parameters), NULL, o->batch, o->tokens, c->vocabulary, c->width);
    tap_hidden_state(&b, 0, x);
    for (int64_t i = 0; i < c->layers - o->skip; i++) {
        encoder_block(&b, c, i, bias, x);
        tap_hidden_state(&b, i + 1, x);
    }
    if (o->final_norm) {
        x = pld_rms_norm(&b, "encoder.final_layer_norm", x, c->epsilon);
        pld_tap(&b, "last_hidden_state", x);
    }
    pld_keep(&b, x);
    *values = (pld_text_values){x, PLD_NO_VALUE};
    return b.status;
}
