/* SPDX-License-Identifier: Apache-2.0 */
/* config.json of causal text encoders, in the words of transformers 4 and 5, and what tensors tell of it. */
#include <string.h>

#include "core/memory.h"
#include "models/blocks/causal.h"
#include "models/classes.h"
#include "models/fixed_fields.h"
#include "models/layouts/describe.h"

static const pld_fixed_field fixed_fields[] = {
    {"attention_bias", "false", true},
    {"use_bidirectional_attention", "false", true},
};

static pld_status read_integers(const pld_json *top, pld_causal_config *c, pld_error *error) {
    const pld_json_integer_field integers[] = {
        {"vocab_size", PLD_JSON_OPTIONAL, 1, 1 << 22, &c->vocabulary},
        {"hidden_size", PLD_JSON_OPTIONAL, 1, 1 << 15, &c->width},
        {"intermediate_size", PLD_JSON_OPTIONAL, 1, 1 << 18, &c->intermediate},
        {"num_hidden_layers", PLD_JSON_OPTIONAL, 1, PLD_MOST_CAUSAL_LAYERS, &c->layers},
        {"num_attention_heads", PLD_JSON_OPTIONAL, 1, 512, &c->heads},
        {"num_key_value_heads", PLD_JSON_OPTIONAL, 1, 512, &c->key_heads},
        {"head_dim", PLD_JSON_OPTIONAL, 1, 1024, &c->head_size},
    };
    return pld_json_get_integer_fields(top, integers, sizeof integers / sizeof *integers, error);
}

/** The base of rotary angles: rope_theta, in transformers 5 within rope_parameters. Other kinds of angles than the plain
 * ones are refused. */
static pld_status read_angles(const pld_json *top, pld_causal_config *c, pld_error *error) {
    static const char *const objects[] = {"rope_scaling", "rope_parameters"};
    PLD_TRY(pld_json_get_number(top, "rope_theta", PLD_JSON_NULLABLE, &c->theta, error));
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        pld_json rope;
        const char *type = "default";
        PLD_TRY(pld_json_object(top, objects[i], PLD_JSON_NULLABLE, &rope, error));
        if (!rope.value) {
            continue;
        }
        PLD_TRY(pld_json_get_number(&rope, "rope_theta", PLD_JSON_OPTIONAL, &c->theta, error));
        PLD_TRY(pld_json_get_string(&rope, pld_json_has(&rope, "type") ? "type" : "rope_type",
                                    PLD_JSON_NULLABLE, &type, error));
        if (type && strcmp(type, "default") != 0) {
            return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                            "%s: field '%s': rotary angles of type '%.40s' are not supported; expected "
                            "'default'",
                            top->file, objects[i], type);
        }
    }
    return PLD_OK;
}

static pld_status check_values(const pld_causal_config *c, const pld_json *top, pld_error *error) {
    if (!((float)c->epsilon > 0 && c->epsilon < 1)) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'rms_norm_eps': expected a number in (0, 1), found %g", top->file,
                        c->epsilon);
    }
    if (!(c->theta > 1 && c->theta <= 1e12)) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'rope_theta': expected a number in (1, 1e12], found %g", top->file,
                        c->theta);
    }
    if (c->heads % c->key_heads != 0 || c->head_size % 2 != 0) {
        return pld_fail(
            error, PLD_ERROR_FORMAT,
            "%s: fields 'num_attention_heads', 'num_key_value_heads' and 'head_dim': expected heads "
            "that share those of keys evenly and an even size, found %lld, %lld and %lld",
            top->file, (long long)c->heads, (long long)c->key_heads, (long long)c->head_size);
    }
    return PLD_OK;
}

pld_status pld_causal_config_read(const pld_causal_rules *rules, const pld_json *top, pld_causal_config *c,
                                  pld_error *error) {
    PLD_TRY(pld_class_check_config(top, rules->class, error));
    PLD_TRY(pld_check_fixed_fields(top, fixed_fields, sizeof fixed_fields / sizeof *fixed_fields, error));
    PLD_TRY(read_integers(top, c, error));
    PLD_TRY(pld_json_get_number(top, "rms_norm_eps", PLD_JSON_OPTIONAL, &c->epsilon, error));
    if (pld_json_is_null(top, "sliding_window")) {
        c->window = 0;
    } else {
        PLD_TRY(
            pld_json_get_integer(top, "sliding_window", PLD_JSON_OPTIONAL, 1, 1 << 30, &c->window, error));
    }
    PLD_TRY(read_angles(top, c, error));
    return check_values(c, top, error);
}

pld_status pld_causal_layer_types_read(const pld_json *top, pld_causal_config *c, pld_error *error) {
    const char *types[PLD_MOST_CAUSAL_LAYERS] = {0};
    size_t count = 0;
    PLD_TRY(pld_json_get_strings(top, "layer_types", PLD_JSON_NULLABLE, PLD_MOST_CAUSAL_LAYERS, types, &count,
                                 error));
    if (count == 0) {
        return PLD_OK;
    }
    if (count != (size_t)c->layers) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'layer_types': expected one for each of the %lld layers, found %zu",
                        top->file, (long long)c->layers, count);
    }
    for (size_t i = 0; i < count; i++) {
        c->slides[i] = strcmp(types[i], "sliding_attention") == 0;
        if (!c->slides[i] && strcmp(types[i], "full_attention") != 0) {
            return pld_fail(
                error, PLD_ERROR_UNSUPPORTED,
                "%s: field 'layer_types': expected 'sliding_attention' or 'full_attention', found "
                "'%.40s'",
                top->file, types[i]);
        }
    }
    return PLD_OK;
}

const pld_name_rule pld_causal_names[] = {
    PLD_RENAME("embed_tokens.", "embed_tokens."),
    PLD_RENAME("layers.", "layers."),
    PLD_RENAME("norm.", "norm."),
    /* folders of whole language models */
    PLD_RENAME("embed_tokens.", "model.embed_tokens."),
    PLD_RENAME("layers.", "model.layers."),
    PLD_RENAME("norm.", "model.norm."),
    {0},
};

static const pld_name_rule gguf_block[] = {
    PLD_RENAME("attn_norm.", "input_layernorm."),    PLD_RENAME("attn_q.", "self_attn.q_proj."),
    PLD_RENAME("attn_k.", "self_attn.k_proj."),      PLD_RENAME("attn_v.", "self_attn.v_proj."),
    PLD_RENAME("attn_output.", "self_attn.o_proj."), PLD_RENAME("attn_q_norm.", "self_attn.q_norm."),
    PLD_RENAME("attn_k_norm.", "self_attn.k_norm."), PLD_RENAME("ffn_norm.", "post_attention_layernorm."),
    PLD_RENAME("ffn_gate.", "mlp.gate_proj."),       PLD_RENAME("ffn_up.", "mlp.up_proj."),
    PLD_RENAME("ffn_down.", "mlp.down_proj."),       {0},
};

const pld_name_rule pld_causal_gguf_names[] = {
    PLD_RENAME("token_embd.", "embed_tokens."),
    PLD_RENAME("blk.{a}.", "layers.{a}.", .inside = gguf_block),
    PLD_RENAME("output_norm.", "norm."),
    PLD_RENAME("output.", "lm_head."),
    {0},
};

const char *const pld_causal_unused[] = {"lm_head.weight", NULL};

pld_status pld_causal_describe(const pld_causal_rules *rules, const pld_description *description,
                               int64_t head_size, const char *further, json_t **config, pld_error *error) {
    static const pld_needed_tensor needed[] = {{"embed_tokens.weight", 1},
                                               {"layers.0.input_layernorm.weight", 1},
                                               {"layers.0.self_attn.q_proj.weight", 1},
                                               {"layers.0.self_attn.k_proj.weight", 1},
                                               {"layers.0.mlp.gate_proj.weight", 1}};
    const pld_weight_files *weights = description->weights;
    pld_json_builder builder = {0};
    json_t *document = NULL;
    PLD_TRY(pld_describe_need(weights, needed, sizeof needed / sizeof *needed, error));
    head_size = head_size ? head_size : pld_shape_of(weights, 0, "layers.0.self_attn.q_norm.weight");
    if (!head_size) {
        return pld_describe_missing(weights, "layers.0.self_attn.q_norm.weight", error);
    }
    PLD_TRY(pld_json_parse(further, strlen(further), rules->class->model_type, &document, error));
    const struct {
        const char *field;
        int64_t value;
    } sizes[] = {
        {"vocab_size", pld_shape_of(weights, 0, "%s", needed[0].name)},
        {"hidden_size", pld_shape_of(weights, 1, "%s", needed[0].name)},
        {"intermediate_size", pld_shape_of(weights, 0, "%s", needed[4].name)},
        {"num_hidden_layers",
         pld_count_numbered(weights, "layers.", ".input_layernorm.weight", PLD_MOST_CAUSAL_LAYERS)},
        {"num_attention_heads", pld_shape_of(weights, 0, "%s", needed[2].name) / head_size},
        {"num_key_value_heads", pld_shape_of(weights, 0, "%s", needed[3].name) / head_size},
        {"head_dim", head_size},
    };
    pld_json_put(&builder, document, "architectures", json_pack("[s]", rules->class->name));
    pld_json_put(&builder, document, "model_type", json_string(rules->class->model_type));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        pld_json_put(&builder, document, sizes[i].field, json_integer(sizes[i].value));
    }
    return pld_describe_finish(&builder, document, description, config, error);
}
