/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "models/classes.h"
#include "models/families/rows.h"
#include "models/fixed_fields.h"
#include "models/sana/sana.h"

static const pld_fixed_field fixed_fields[] = {
    {"norm_elementwise_affine", "false", true},
};

static pld_status read_integers(pld_sana_config *c, int64_t *cross_width, const pld_json *top,
                                pld_error *error) {
    const pld_json_integer_field integers[] = {
        {"in_channels", PLD_JSON_OPTIONAL, 1, 128, &c->channels},
        {"out_channels", PLD_JSON_NULLABLE, 1, 256, &c->out_channels},
        {"num_attention_heads", PLD_JSON_OPTIONAL, 1, 512, &c->heads},
        {"attention_head_dim", PLD_JSON_OPTIONAL, 1, 1024, &c->head_size},
        {"num_layers", PLD_JSON_OPTIONAL, 1, 256, &c->layers},
        {"num_cross_attention_heads", PLD_JSON_OPTIONAL, 1, 512, &c->cross_heads},
        {"cross_attention_head_dim", PLD_JSON_OPTIONAL, 1, 1024, &c->cross_head_size},
        {"cross_attention_dim", PLD_JSON_OPTIONAL, 1, 1 << 16, cross_width},
        {"caption_channels", PLD_JSON_OPTIONAL, 1, 1 << 16, &c->caption_width},
        {"sample_size", PLD_JSON_OPTIONAL, 1, 4096, &c->sample_size},
        {"patch_size", PLD_JSON_OPTIONAL, 1, 16, &c->patch},
    };
    return pld_json_get_integer_fields(top, integers, sizeof integers / sizeof *integers, error);
}

static pld_status read_numbers(pld_sana_config *c, const pld_json *top, pld_error *error) {
    const struct {
        const char *field;
        double least, most;
        double *value;
    } numbers[] = {
        {"mlp_ratio", 0.01, 64, &c->mlp_ratio},
        {"norm_eps", 1e-12, 0.5, &c->epsilon},
        {"interpolation_scale", 1e-3, 1e3, &c->interpolation_scale},
        {"guidance_embeds_scale", 1e-6, 1e6, &c->guidance_scale},
        {"timestep_scale", 1e-6, 1e6, &c->timestep_scale},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const double otherwise = *numbers[i].value;
        PLD_TRY(pld_json_get_number(top, numbers[i].field, PLD_JSON_NULLABLE, numbers[i].value, error));
        const double found = *numbers[i].value;
        if (found != otherwise && !(found >= numbers[i].least && found <= numbers[i].most)) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: field '%s': expected a number from %g to %g, found %g", top->file,
                            numbers[i].field, numbers[i].least, numbers[i].most, found);
        }
    }
    return PLD_OK;
}

/** The kind of norm of queries and keys. */
static pld_status read_qk_norm(pld_sana_config *c, const pld_json *top, pld_error *error) {
    const char *norm = NULL;
    PLD_TRY(pld_json_get_string(top, "qk_norm", PLD_JSON_NULLABLE, &norm, error));
    c->qk_norm = norm != NULL;
    return !norm || strcmp(norm, "rms_norm_across_heads") == 0
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_UNSUPPORTED,
                          "%s: field 'qk_norm' is \"%.60s\"; only \"rms_norm_across_heads\" and null are "
                          "supported",
                          top->file, norm);
}

/** What one field says of another. */
static pld_status check_values(const pld_sana_config *c, int64_t cross_width, const pld_json *top,
                               pld_error *error) {
    const int64_t width = pld_sana_width(c);
    const int64_t cross = c->cross_heads * c->cross_head_size;
    if (cross_width != width || cross != width) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: fields 'cross_attention_dim' and num_cross_attention_heads times "
                        "cross_attention_head_dim: expected %lld, as num_attention_heads times "
                        "attention_head_dim, found %lld and %lld",
                        top->file, (long long)width, (long long)cross_width, (long long)cross);
    }
    if ((int64_t)(c->mlp_ratio * (double)width) < 1) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'mlp_ratio': expected a number that makes at least one channel of %lld, "
                        "found %g",
                        top->file, (long long)width, c->mlp_ratio);
    }
    if (c->interpolation_scale > 0 && width % 4 != 0) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'interpolation_scale': positions need a width (num_attention_heads times "
                        "attention_head_dim) that is a multiple of 4, found %lld",
                        top->file, (long long)width);
    }
    if (c->out_channels < c->channels || c->sample_size < c->patch) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: fields 'out_channels' and 'sample_size': expected at least in_channels (%lld) "
                        "and patch_size (%lld), found %lld and %lld",
                        top->file, (long long)c->channels, (long long)c->patch, (long long)c->out_channels,
                        (long long)c->sample_size);
    }
    return PLD_OK;
}

pld_status pld_sana_config_parse(void *target, const pld_json *top, pld_error *error) {
    pld_sana_config *c = target;
    int64_t cross_width = 2240;
    /* diffusers' defaults for what a file leaves out */
    *c = (pld_sana_config){.channels = 32,
                           .out_channels = 32,
                           .heads = 70,
                           .head_size = 32,
                           .cross_heads = 20,
                           .cross_head_size = 112,
                           .layers = 20,
                           .caption_width = 2304,
                           .patch = 1,
                           .sample_size = 32,
                           .mlp_ratio = 2.5,
                           .epsilon = 1e-6,
                           .timestep_scale = 1,
                           .guidance_scale = 0.1};
    PLD_TRY(pld_class_check_config(top, &pld_class_sana, error));
    PLD_TRY(pld_check_fixed_fields(top, fixed_fields, sizeof fixed_fields / sizeof *fixed_fields, error));
    PLD_TRY(read_integers(c, &cross_width, top, error));
    c->out_channels = pld_json_is_null(top, "out_channels") ? c->channels : c->out_channels;
    PLD_TRY(read_numbers(c, top, error));
    PLD_TRY(read_qk_norm(c, top, error));
    PLD_TRY(pld_json_get_flag(top, "attention_bias", &c->attention_bias, error));
    PLD_TRY(pld_json_get_flag(top, "guidance_embeds", &c->guidance_embeds, error));
    return check_values(c, cross_width, top, error);
}
