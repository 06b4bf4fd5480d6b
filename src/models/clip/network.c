/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "models/clip/clip.h"

/** x += attention(layer_norm(x)), causal. */
static void self_attention(pld_builder *b, const pld_clip_config *c, pld_value_id x) {
    pld_value_id normed = pld_layer_norm(b, "layer_norm1", x, c->epsilon);
    size_t mark = pld_scope_enter(b, "self_attn");
    pld_value_id query = pld_linear(b, "q_proj", normed, c->width, PLD_BIAS);
    pld_value_id key = pld_linear(b, "k_proj", normed, c->width, PLD_BIAS);
    pld_value_id value = pld_linear(b, "v_proj", normed, c->width, PLD_BIAS);
    pld_attention_description attention = pld_self_attention(query, key, value, c->heads);
    attention.causal = true;
    pld_linear(b, "out_proj", pld_attend(b, attention), c->width, pld_into(x, true));
    pld_scope_leave(b, mark);
}

/** x += fc2(act(fc1(layer_norm(x)))) */
static void feed_forward(pld_builder *b, const pld_clip_config *c, pld_value_id x) {
    pld_value_id normed = pld_layer_norm(b, "layer_norm2", x, c->epsilon);
    size_t mark = pld_scope_enter(b, "mlp");
    pld_value_id hidden = pld_linear(b, "fc1", normed, c->intermediate, PLD_BIAS);
    pld_linear(b, "fc2", pld_activate(b, hidden, c->activation), c->width, pld_into(x, true));
    pld_scope_leave(b, mark);
}

/** Files of transformers 5 may lack the outer module's name; position_ids is a constant that old files carry.
 */
static const char *module_prefix(const pld_parameters *parameters) {
    return pld_parameters_has(parameters, "text_model.embeddings.token_embedding.weight") ||
                   !pld_parameters_has(parameters, "embeddings.token_embedding.weight")
               ? "text_model"
               : "";
}

static void tap_hidden_state(pld_builder *b, int64_t index, pld_value_id x) {
    char name[32];
    snprintf(name, sizeof name, "hidden_states.%02d", (int)index);
    pld_tap(b, name, x);
}

/** x through the first `count` layers; a copy of it after layer `taken` (PLD_NO_VALUE if they end there). */
static pld_value_id encode(pld_builder *b, const pld_clip_config *c, pld_value_id x, int64_t count,
                           int64_t taken) {
    pld_value_id copy = PLD_NO_VALUE;
    tap_hidden_state(b, 0, x);
    for (int64_t i = 0; i < count; i++) {
        if (i == taken) {
            copy = pld_copy(b, x);
        }
        size_t mark = pld_scope_enter(b, "encoder.layers.%d", (int)i);
        self_attention(b, c, x);
        feed_forward(b, c, x);
        pld_scope_leave(b, mark);
        tap_hidden_state(b, i + 1, x);
    }
    return copy;
}

static pld_value_id final_norm(pld_builder *b, const pld_clip_config *c, pld_value_id x) {
    return pld_layer_norm(b, "final_layer_norm", x, c->epsilon);
}

/** eos_token_id 2 is that of files older than transformers 4.31, which stands for the largest id. */
static int32_t pooled_token(const pld_clip_config *c) {
    return c->eos_token_id == 2 ? PLD_LARGEST_ID : (int32_t)c->eos_token_id;
}

/** Whether a file has the encoder and not its projection, which then is the identity. */
static bool lacks_projection(const pld_parameters *parameters, const pld_clip_config *c) {
    return c->projection == c->width && !pld_parameters_has(parameters, "text_projection.weight") &&
           (pld_parameters_has(parameters, "text_model.embeddings.token_embedding.weight") ||
            pld_parameters_has(parameters, "embeddings.token_embedding.weight"));
}

/** What both classes build; `projected`: the pooled state goes through a last layer. */
static pld_status build(pld_plan *plan, const void *config, bool projected, const pld_text_request *o,
                        pld_text_values *values, pld_error *error) {
    const pld_clip_config *c = config;
    pld_builder b;
    pld_builder_init(&b, plan, error);
    plan->name = "text_encoder";
    const char *prefix = module_prefix(plan->parameters);
    size_t outer = pld_scope_enter(&b, "%s", prefix);
    size_t mark = pld_scope_enter(&b, "embeddings");
    pld_value_id x = pld_embed(&b, "token_embedding", "position_embedding", o->batch, c->positions,
                               c->vocabulary, c->width);
    pld_scope_leave(&b, mark);
    const int64_t taken = c->layers - o->skip;
    pld_value_id states = encode(&b, c, x, o->pooled ? c->layers : taken, taken);
    states = states == PLD_NO_VALUE ? x : states;
    pld_value_id pooled = PLD_NO_VALUE;
    if (o->pooled) {
        pld_value_id normed = final_norm(&b, c, x);
        pld_tap(&b, "last_hidden_state", normed);
        pooled = pld_pool(&b, normed, pooled_token(c));
    }
    if (o->final_norm) {
        states = final_norm(&b, c, states);
        pld_tap(&b, "last_hidden_state", states);
    }
    pld_scope_leave(&b, outer);
    if (o->pooled) {
        pld_tap(&b, "pooler_output", pooled);
        if (projected && !(o->plain_pooled && lacks_projection(plan->parameters, c))) {
            pooled = pld_linear(&b, "text_projection", pooled, c->projection, PLD_NO_BIAS);
            pld_tap(&b, "text_embeds", pooled);
        }
        pld_keep(&b, pooled);
    }
    pld_keep(&b, states);
    *values = (pld_text_values){states, pooled};
    return b.status;
}

pld_status pld_clip_build(pld_plan *plan, const void *config, const pld_text_request *o,
                          pld_text_values *values, pld_error *error) {
    return build(plan, config, false, o, values, error);
}

pld_status pld_clip_projection_build(pld_plan *plan, const void *config, const pld_text_request *o,
                                     pld_text_values *values, pld_error *error) {
    return build(plan, config, true, o, values, error);
}
