/* SPDX-License-Identifier: Apache-2.0 */
#include "models/anima_conditioner/anima_conditioner.h"
#include "models/classes.h"
#include "models/families/rows.h"
#include "models/fixed_fields.h"
#include "models/mlp_ratio.h"

static const pld_fixed_field fixed_fields[] = {
    {"use_self_attention", "true", false},
    {"use_layer_norm", "false", true},
};

static pld_status read_integers(pld_anima_conditioner_config *c, const pld_json *top, pld_error *error) {
    const pld_json_integer_field integers[] = {
        {"source_dim", PLD_JSON_OPTIONAL, 1, 1 << 16, &c->source_width},
        {"target_dim", PLD_JSON_OPTIONAL, 1, 1 << 14, &c->target_width},
        {"model_dim", PLD_JSON_OPTIONAL, 1, 1 << 14, &c->width},
        {"num_layers", PLD_JSON_OPTIONAL, 1, 256, &c->layers},
        {"num_attention_heads", PLD_JSON_OPTIONAL, 1, 256, &c->heads},
        {"target_vocab_size", PLD_JSON_OPTIONAL, 1, 1 << 20, &c->vocabulary},
        {"min_sequence_length", PLD_JSON_OPTIONAL, 0, 4096, &c->least_tokens},
    };
    return pld_json_get_integer_fields(top, integers, sizeof integers / sizeof *integers, error);
}

pld_status pld_anima_conditioner_config_parse(void *target, const pld_json *top, pld_error *error) {
    pld_anima_conditioner_config *c = target;
    /* diffusers' defaults for what a file leaves out */
    *c = (pld_anima_conditioner_config){.source_width = 1024,
                                        .target_width = 1024,
                                        .width = 1024,
                                        .layers = 6,
                                        .heads = 16,
                                        .vocabulary = 32128,
                                        .least_tokens = 512};
    PLD_TRY(pld_class_check_config(top, &pld_class_anima_conditioner, error));
    PLD_TRY(pld_check_fixed_fields(top, fixed_fields, sizeof fixed_fields / sizeof *fixed_fields, error));
    PLD_TRY(read_integers(c, top, error));
    PLD_TRY(pld_mlp_width_read(top, c->width, &c->hidden, error));
    return c->width % (2 * c->heads) == 0
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_FORMAT,
                          "%s: width %lld (model_dim) does not divide into %lld heads of an even size "
                          "(num_attention_heads)",
                          top->file, (long long)c->width, (long long)c->heads);
}
