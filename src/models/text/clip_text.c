/* SPDX-License-Identifier: Apache-2.0 */
#include "models/text/clip_text.h"

#include <stdio.h>
#include <string.h>

#include "models/classes.h"

static pld_status read_activation(const pld_json *top, pld_activation *activation, pld_error *error) {
    static const struct {
        const char *name;
        pld_activation activation;
    } names[] = {
        {"quick_gelu", PLD_QUICK_GELU}, {"gelu", PLD_GELU}, {"gelu_new", PLD_GELU_TANH}, {"silu", PLD_SILU}};
    const char *name = "quick_gelu"; /* transformers' default */
    PLD_TRY(pld_json_get_string(top, "hidden_act", PLD_JSON_OPTIONAL, &name, error));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i].name) == 0) {
            *activation = names[i].activation;
            return PLD_OK;
        }
    }
    return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                    "%s: field 'hidden_act': expected quick_gelu or gelu, found '%.60s'", top->file, name);
}

static pld_status read_fields(void *target, const pld_json *top, pld_error *error) {
    pld_clip_text_config *c = target;
    const struct {
        const char *field;
        int64_t min, max;
        int64_t *value;
        pld_json_need need;
    } integers[] = {
        {"vocab_size", 3, 1 << 20, &c->vocabulary, PLD_JSON_OPTIONAL},
        {"hidden_size", 1, 1 << 14, &c->width, PLD_JSON_OPTIONAL},
        {"intermediate_size", 1, 1 << 16, &c->intermediate, PLD_JSON_OPTIONAL},
        {"num_hidden_layers", 1, 256, &c->layers, PLD_JSON_OPTIONAL},
        {"num_attention_heads", 1, 256, &c->heads, PLD_JSON_OPTIONAL},
        {"max_position_embeddings", 3, 4096, &c->positions, PLD_JSON_OPTIONAL},
        {"projection_dim", 1, 1 << 14, &c->projection, PLD_JSON_NULLABLE},
        {"eos_token_id", 0, 1 << 20, &c->eos_token_id, PLD_JSON_OPTIONAL},
    };
    PLD_TRY(pld_class_check_architecture(top, PLD_CLASS_TEXT_ENCODER, error));
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        PLD_TRY(pld_json_get_integer(top, integers[i].field, integers[i].need, integers[i].min,
                                     integers[i].max, integers[i].value, error));
    }
    c->projection = pld_json_is_null(top, "projection_dim") ? 0 : c->projection;
    PLD_TRY(pld_json_get_number(top, "layer_norm_eps", PLD_JSON_OPTIONAL, &c->epsilon, error));
    if (!((float)c->epsilon > 0 && c->epsilon < 1)) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'layer_norm_eps': expected a number in (0, 1), found %g", top->file,
                        c->epsilon);
    }
    if (c->width % c->heads != 0) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: hidden_size %lld does not divide into %lld heads",
                        top->file, (long long)c->width, (long long)c->heads);
    }
    return read_activation(top, &c->activation, error);
}

pld_status pld_clip_text_config_parse(void *target, const pld_json *top, pld_error *error) {
    pld_clip_text_config *config = target;
    /* transformers' defaults for what a file leaves out */
    *config = (pld_clip_text_config){.vocabulary = 49408,
                                     .width = 512,
                                     .intermediate = 2048,
                                     .layers = 12,
                                     .heads = 8,
                                     .positions = 77,
                                     .projection = 512,
                                     .epsilon = 1e-5,
                                     .eos_token_id = 49407};
    return read_fields(config, top, error);
}

pld_status pld_clip_text_config_read(const char *file, pld_clip_text_config *config, pld_error *error) {
    return pld_json_read_file(file, pld_clip_text_config_parse, config, error);
}

/** x += attention(layer_norm(x)), causal. */
static void self_attention(pld_builder *b, const pld_clip_text_config *c, pld_value_id x) {
    pld_value_id normed = pld_layer_norm(b, "layer_norm1", x, c->epsilon);
    size_t mark = pld_scope_enter(b, "self_attn");
    pld_value_id query = pld_linear(b, "q_proj", normed, c->width, true);
    pld_value_id key = pld_linear(b, "k_proj", normed, c->width, true);
    pld_value_id value = pld_linear(b, "v_proj", normed, c->width, true);
    pld_value_id out = pld_attend(b, PLD_SITE_SELF, query, key, value, (int)c->heads, true);
    pld_linear_into(b, "out_proj", out, x, true);
    pld_scope_leave(b, mark);
}

/** x += fc2(act(fc1(layer_norm(x)))) */
static void feed_forward(pld_builder *b, const pld_clip_text_config *c, pld_value_id x) {
    pld_value_id normed = pld_layer_norm(b, "layer_norm2", x, c->epsilon);
    size_t mark = pld_scope_enter(b, "mlp");
    pld_value_id hidden = pld_linear(b, "fc1", normed, c->intermediate, true);
    pld_linear_into(b, "fc2", pld_activate(b, hidden, c->activation), x, true);
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
static pld_value_id encode(pld_builder *b, const pld_clip_text_config *c, pld_value_id x, int64_t count,
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

static pld_value_id final_norm(pld_builder *b, const pld_clip_text_config *c, pld_value_id x) {
    return pld_layer_norm(b, "final_layer_norm", x, c->epsilon);
}

/** eos_token_id 2 is that of files older than transformers 4.31, which stands for the largest id. */
static int32_t pooled_token(const pld_clip_text_config *c) {
    return c->eos_token_id == 2 ? PLD_LARGEST_ID : (int32_t)c->eos_token_id;
}

pld_status pld_clip_text_build(pld_plan *plan, const pld_clip_text_config *c, const pld_clip_text_options *o,
                               pld_clip_text_values *values, pld_error *error) {
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
        pooled = pld_linear(&b, "text_projection", pooled, c->projection, false);
        pld_tap(&b, "text_embeds", pooled);
        pld_keep(&b, pooled);
    }
    pld_keep(&b, states);
    *values = (pld_clip_text_values){states, pooled};
    return b.status;
}
