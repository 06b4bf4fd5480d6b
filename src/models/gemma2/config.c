/* SPDX-License-Identifier: Apache-2.0 */
#include "models/families/rows.h"
#include "models/fixed_fields.h"
#include "models/gemma2/gemma2.h"
#include "models/layouts/describe.h"

const pld_causal_rules pld_gemma2_rules = {
    .class = &pld_class_gemma2,
    .norms_less_one = true,
    .scaled_embedding = true,
    .before_attention = "input_layernorm",
    .after_attention = "post_attention_layernorm",
    .before_feed_forward = "pre_feedforward_layernorm",
    .after_feed_forward = "post_feedforward_layernorm",
    .activation = PLD_GELU_TANH,
};

static const pld_fixed_field fixed_fields[] = {
    {"hidden_activation", "\"gelu_pytorch_tanh\"", true}, /* null in old files, which means the same */
};

/** A positive number; null is 0. */
static pld_status read_positive(const pld_json *top, const char *field, double *value, pld_error *error) {
    if (pld_json_is_null(top, field)) {
        *value = 0;
        return PLD_OK;
    }
    PLD_TRY(pld_json_get_number(top, field, PLD_JSON_OPTIONAL, value, error));
    return *value > 0 && *value <= 1e6
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_FORMAT, "%s: field '%s': expected a number in (0, 1e6], found %g",
                          top->file, field, *value);
}

pld_status pld_gemma2_config_parse(void *target, const pld_json *top, pld_error *error) {
    pld_causal_config *config = target;
    /* transformers' defaults for what a file leaves out */
    *config = (pld_causal_config){.vocabulary = 256000,
                                  .width = 2304,
                                  .intermediate = 9216,
                                  .layers = 26,
                                  .heads = 8,
                                  .key_heads = 4,
                                  .head_size = 256,
                                  .epsilon = 1e-6,
                                  .theta = 10000,
                                  .query_scalar = 256,
                                  .soft_cap = 50,
                                  .window = 4096};
    PLD_TRY(pld_causal_config_read(&pld_gemma2_rules, top, config, error));
    PLD_TRY(pld_check_fixed_fields(top, fixed_fields, sizeof fixed_fields / sizeof *fixed_fields, error));
    PLD_TRY(read_positive(top, "query_pre_attn_scalar", &config->query_scalar, error));
    PLD_TRY(read_positive(top, "attn_logit_softcapping", &config->soft_cap, error));
    for (int64_t i = 0; i < config->layers; i++) {
        config->slides[i] = config->window > 0 && i % 2 == 0;
    }
    return pld_causal_layer_types_read(top, config, error);
}

pld_status pld_gemma2_describe(const pld_description *description, json_t **config, pld_error *error) {
    /* Shapes do not tell the size of a head. The published models of 2 and 9 billion parameters have 256, that of 27
     * billion has 128 and divides logits by the root of another number. */
    enum { WIDTH_OF_27B = 4608 };
    const bool largest = pld_shape_of(description->weights, 1, "embed_tokens.weight") == WIDTH_OF_27B;
    return pld_causal_describe(&pld_gemma2_rules, description, largest ? 128 : 256,
                               largest ? "{\"query_pre_attn_scalar\": 144, \"sliding_window\": 4096}"
                                       : "{\"query_pre_attn_scalar\": 256, \"sliding_window\": 4096}",
                               config, error);
}
