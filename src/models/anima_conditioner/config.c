/* SPDX-License-Identifier: Apache-2.0 */
#include "models/anima_conditioner/anima_conditioner.h"
#include "models/classes.h"
#include "models/families/rows.h"
#include "models/fixed_fields.h"

static const pld_fixed_field fixed_fields[] = {
    {"use_self_attention", "true", false},
    {"use_layer_norm", "false", true},
};

static pld_status read_integers(pld_anima_conditioner_config *c, const pld_json *top, pld_error *error) {
    const struct {
        const char *field;
        int64_t min, max;
        int64_t *value;
    } integers[] = {
        {"source_dim", 1, 1 << 16, &c->source_width},
        {"target_dim", 1, 1 << 14, &c->target_width},
        {"model_dim", 1, 1 << 14, &c->width},
        {"num_layers", 1, 256, &c->layers},
        {"num_attention_heads", 1, 256, &c->heads},
        {"target_vocab_size", 1, 1 << 20, &c->vocabulary},
        {"min_sequence_length", 0, 4096, &c->least_tokens},
    };
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        PLD_TRY(pld_json_get_integer(top, integers[i].field, PLD_JSON_OPTIONAL, integers[i].min,
                                     integers[i].max, integers[i].value, error));
    }
    return PLD_OK;
}

pld_status pld_anima_conditioner_config_parse(void *target, const pld_json *top, pld_error *error) {
    const double rounding = 1e-6; /* of a ratio that was written as a decimal number */
    pld_anima_conditioner_config *c = target;
    double ratio = 4;
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
    PLD_TRY(pld_json_get_number(top, "mlp_ratio", PLD_JSON_OPTIONAL, &ratio, error));
    if (!(ratio > 0 && ratio <= 64 && ratio * (double)c->width >= 1)) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'mlp_ratio': expected a number above 0 and at most 64, found %g",
                        top->file, ratio);
    }
    c->hidden = (int64_t)(ratio * (double)c->width + rounding);
    return c->width % (2 * c->heads) == 0
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_FORMAT,
                          "%s: width %lld (model_dim) does not divide into %lld heads of an even size "
                          "(num_attention_heads)",
                          top->file, (long long)c->width, (long long)c->heads);
}
