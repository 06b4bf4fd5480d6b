/* SPDX-License-Identifier: Apache-2.0 */
#include "models/families/rows.h"
#include "models/fixed_fields.h"
#include "models/qwen3/qwen3.h"

const pld_causal_rules pld_qwen3_rules = {
    .class = &pld_class_qwen3,
    .head_norms = true,
    .before_attention = "input_layernorm",
    .before_feed_forward = "post_attention_layernorm",
    .activation = PLD_SILU,
};

static const pld_fixed_field fixed_fields[] = {{"hidden_act", "\"silu\"", false}};

/** Which layers slide, where any does: those from max_window_layers on unless layer_types says otherwise. */
static pld_status read_windows(const pld_json *top, pld_causal_config *c, pld_error *error) {
    bool on = false;
    int64_t first = 28;
    PLD_TRY(pld_json_get_flag(top, "use_sliding_window", &on, error));
    PLD_TRY(pld_json_get_integer(top, "max_window_layers", PLD_JSON_OPTIONAL, 0, 1 << 20, &first, error));
    c->window = on ? c->window : 0;
    for (int64_t i = first; i < c->layers; i++) {
        c->slides[i] = c->window > 0;
    }
    PLD_TRY(pld_causal_layer_types_read(top, c, error));
    for (int64_t i = 0; i < c->layers; i++) {
        c->slides[i] = c->slides[i] && c->window > 0;
    }
    return PLD_OK;
}

pld_status pld_qwen3_config_parse(void *target, const pld_json *top, pld_error *error) {
    pld_causal_config *config = target;
    /* transformers' defaults for what a file leaves out */
    *config = (pld_causal_config){.vocabulary = 151936,
                                  .width = 4096,
                                  .intermediate = 22016,
                                  .layers = 32,
                                  .heads = 32,
                                  .key_heads = 32,
                                  .head_size = 128,
                                  .epsilon = 1e-6,
                                  .theta = 10000,
                                  .window = 4096};
    PLD_TRY(pld_causal_config_read(&pld_qwen3_rules, top, config, error));
    PLD_TRY(pld_check_fixed_fields(top, fixed_fields, sizeof fixed_fields / sizeof *fixed_fields, error));
    return read_windows(top, config, error);
}

pld_status pld_qwen3_describe(const pld_description *description, json_t **config, pld_error *error) {
    return pld_causal_describe(
        &pld_qwen3_rules, description, 0,
        "{\"rope_theta\": 1000000.0, \"rms_norm_eps\": 1e-6, \"hidden_act\": \"silu\"}", config, error);
}
