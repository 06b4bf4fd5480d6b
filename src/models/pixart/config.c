/* SPDX-License-Identifier: Apache-2.0 */
#include "models/classes.h"
#include "models/families/rows.h"
#include "models/fixed_fields.h"
#include "models/pixart/pixart.h"

static const pld_fixed_field fixed_fields[] = {
    {"activation_fn", "\"gelu-approximate\"", false},
    {"attention_type", "\"default\"", true},
    {"norm_elementwise_affine", "false", true},
    {"norm_type", "\"ada_norm_single\"", false},
    {"upcast_attention", "false", true},
};

static pld_status read_integers(pld_pixart_config *c, int64_t *cross_width, const pld_json *top,
                                pld_error *error) {
    const pld_json_integer_field integers[] = {
        {"num_attention_heads", PLD_JSON_OPTIONAL, 1, 256, &c->heads},
        {"attention_head_dim", PLD_JSON_OPTIONAL, 1, 1024, &c->head_size},
        {"in_channels", PLD_JSON_OPTIONAL, 1, 64, &c->channels},
        {"out_channels", PLD_JSON_NULLABLE, 1, 128, &c->out_channels},
        {"num_layers", PLD_JSON_OPTIONAL, 1, 256, &c->layers},
        {"cross_attention_dim", PLD_JSON_NULLABLE, 1, 1 << 16, cross_width},
        {"caption_channels", PLD_JSON_REQUIRED, 1, 1 << 16, &c->caption_width},
        {"sample_size", PLD_JSON_OPTIONAL, 1, 4096, &c->sample_size},
        {"patch_size", PLD_JSON_OPTIONAL, 1, 16, &c->patch},
        {"interpolation_scale", PLD_JSON_NULLABLE, 1, 64, &c->interpolation_scale},
    };
    return pld_json_get_integer_fields(top, integers, sizeof integers / sizeof *integers, error);
}

/** What one field says of another. */
static pld_status check_values(const pld_pixart_config *c, int64_t cross_width, const pld_json *top,
                               pld_error *error) {
    const int64_t width = pld_pixart_width(c);
    if (cross_width != width) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'cross_attention_dim': expected %lld, as num_attention_heads times "
                        "attention_head_dim, "
                        "found %lld",
                        top->file, (long long)width, (long long)cross_width);
    }
    if (width % 4 != 0 || (c->sizes && width % PLD_PIXART_SIZES != 0)) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: width %lld (num_attention_heads times attention_head_dim) does not "
                        "divide into %d parts",
                        top->file, (long long)width, width % 4 ? 4 : PLD_PIXART_SIZES);
    }
    if (c->out_channels < c->channels || c->sample_size < c->patch) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: fields 'out_channels' and 'sample_size': expected at least in_channels (%lld) "
                        "and patch_size "
                        "(%lld), found %lld and %lld",
                        top->file, (long long)c->channels, (long long)c->patch, (long long)c->out_channels,
                        (long long)c->sample_size);
    }
    return (float)c->epsilon > 0 && c->epsilon < 1
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_FORMAT,
                          "%s: field 'norm_eps': expected a number in (0, 1), found %g", top->file,
                          c->epsilon);
}

pld_status pld_pixart_config_parse(void *target, const pld_json *top, pld_error *error) {
    pld_pixart_config *c = target;
    int64_t cross_width = 1152;
    /* diffusers' defaults for what a file leaves out */
    *c = (pld_pixart_config){.channels = 4,
                             .out_channels = 8,
                             .heads = 16,
                             .head_size = 72,
                             .layers = 28,
                             .patch = 2,
                             .sample_size = 128,
                             .attention_bias = true,
                             .epsilon = 1e-6};
    PLD_TRY(pld_class_check_config(top, &pld_class_pixart, error));
    PLD_TRY(pld_check_fixed_fields(top, fixed_fields, sizeof fixed_fields / sizeof *fixed_fields, error));
    PLD_TRY(read_integers(c, &cross_width, top, error));
    /* null and absence are what diffusers derives */
    c->out_channels = pld_json_is_null(top, "out_channels") ? c->channels : c->out_channels;
    if (c->interpolation_scale == 0) {
        c->interpolation_scale = c->sample_size / 64 > 1 ? c->sample_size / 64 : 1;
    }
    c->sizes = c->sample_size == 128;
    if (!pld_json_is_null(top, "use_additional_conditions")) {
        PLD_TRY(pld_json_get_flag(top, "use_additional_conditions", &c->sizes, error));
    }
    PLD_TRY(pld_json_get_flag(top, "attention_bias", &c->attention_bias, error));
    PLD_TRY(pld_json_get_number(top, "norm_eps", PLD_JSON_OPTIONAL, &c->epsilon, error));
    return check_values(c, cross_width, top, error);
}
