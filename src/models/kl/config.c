/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "models/classes.h"
#include "models/families/rows.h"
#include "models/fixed_fields.h"
#include "models/kl/kl.h"

/** Every block must be of the one kind that is implemented. */
static pld_status check_blocks(const pld_json *top, const char *field, const char *kind, int64_t levels,
                               pld_error *error) {
    const char *names[PLD_KL_MAX_LEVELS] = {0};
    size_t count = 0;
    PLD_TRY(pld_json_get_strings(top, field, PLD_JSON_REQUIRED, PLD_KL_MAX_LEVELS, names, &count, error));
    if ((int64_t)count != levels) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field '%s': expected %lld blocks as in block_out_channels, found %zu", top->file,
                        field, (long long)levels, count);
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], kind) != 0) {
            return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: field '%s': expected %s, found '%.60s'",
                            top->file, field, kind, names[i]);
        }
    }
    return PLD_OK;
}

static pld_status check_unsupported(const pld_json *top, pld_error *error) {
    const char *activation = "silu";
    PLD_TRY(pld_json_get_string(top, "act_fn", PLD_JSON_OPTIONAL, &activation, error));
    if (strcmp(activation, "silu") != 0) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: field 'act_fn': expected silu, found '%.60s'",
                        top->file, activation);
    }
    if (pld_json_has(top, "latents_mean") || pld_json_has(top, "latents_std")) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: fields 'latents_mean' and 'latents_std' are not supported", top->file);
    }
    return PLD_OK;
}

static pld_status read_fields(pld_kl_config *c, const pld_json *top, pld_error *error) {
    size_t levels = 0;
    PLD_TRY(check_unsupported(top, error));
    PLD_TRY(pld_json_get_integers(top, "block_out_channels", PLD_JSON_REQUIRED, 1, 1 << 14, PLD_KL_MAX_LEVELS,
                                  c->widths, &levels, error));
    if (levels == 0) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: field 'block_out_channels' is empty", top->file);
    }
    c->levels = (int64_t)levels;
    PLD_TRY(check_blocks(top, "down_block_types", "DownEncoderBlock2D", c->levels, error));
    PLD_TRY(check_blocks(top, "up_block_types", "UpDecoderBlock2D", c->levels, error));
    PLD_TRY(pld_json_get_integer(top, "layers_per_block", PLD_JSON_OPTIONAL, 1, 16, &c->layers, error));
    PLD_TRY(pld_json_get_integer(top, "in_channels", PLD_JSON_OPTIONAL, 3, 3, &c->in_channels, error));
    PLD_TRY(pld_json_get_integer(top, "out_channels", PLD_JSON_OPTIONAL, 3, 3, &c->out_channels, error));
    PLD_TRY(
        pld_json_get_integer(top, "latent_channels", PLD_JSON_OPTIONAL, 1, 64, &c->latent_channels, error));
    PLD_TRY(pld_json_get_integer(top, "norm_num_groups", PLD_JSON_OPTIONAL, 1, 1024, &c->groups, error));
    PLD_TRY(pld_json_get_flag(top, "mid_block_add_attention", &c->mid_attention, error));
    PLD_TRY(pld_json_get_flag(top, "use_quant_conv", &c->quant_conv, error));
    return pld_json_get_flag(top, "use_post_quant_conv", &c->post_quant_conv, error);
}

static pld_status read_scaling(pld_kl_config *c, const pld_json *top, pld_error *error) {
    PLD_TRY(pld_json_get_number(top, "scaling_factor", PLD_JSON_OPTIONAL, &c->scaling_factor, error));
    PLD_TRY(pld_json_get_number(top, "shift_factor", PLD_JSON_NULLABLE, &c->shift_factor, error));
    if (!(c->scaling_factor > 1e-6 && c->scaling_factor < 1e6)) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'scaling_factor': expected a positive number, found %g", top->file,
                        c->scaling_factor);
    }
    if (!(c->shift_factor > -1e6 && c->shift_factor < 1e6)) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'shift_factor': expected a number between -1e6 and 1e6, found %g",
                        top->file, c->shift_factor);
    }
    return PLD_OK;
}

pld_status pld_kl_config_parse(void *target, const pld_json *top, pld_error *error) {
    pld_kl_config *config = target;
    *config = (pld_kl_config){.layers = 1,
                              .in_channels = 3,
                              .out_channels = 3,
                              .latent_channels = 4,
                              .groups = 32,
                              .mid_attention = true,
                              .quant_conv = true,
                              .post_quant_conv = true,
                              .scaling_factor = 0.18215,
                              .patch = 1};
    PLD_TRY(pld_class_check_config(top, &pld_class_kl, error));
    PLD_TRY(read_fields(config, top, error));
    return read_scaling(config, top, error);
}

static const pld_fixed_field flux2_fixed_fields[] = {{"patch_size", "[2, 2]", false},
                                                     {"decoder_block_out_channels", "null", true}};

pld_status pld_kl_flux2_config_parse(void *target, const pld_json *top, pld_error *error) {
    pld_kl_config *c = target;
    *c = (pld_kl_config){.layers = 2,
                         .in_channels = 3,
                         .out_channels = 3,
                         .latent_channels = 32,
                         .groups = 32,
                         .mid_attention = true,
                         .quant_conv = true,
                         .post_quant_conv = true,
                         .scaling_factor = 1,
                         .patch = 2,
                         .statistics_epsilon = 1e-4};
    PLD_TRY(pld_class_check_config(top, &pld_class_kl_flux2, error));
    PLD_TRY(pld_check_fixed_fields(top, flux2_fixed_fields,
                                   sizeof flux2_fixed_fields / sizeof *flux2_fixed_fields, error));
    PLD_TRY(read_fields(c, top, error));
    PLD_TRY(pld_json_get_number(top, "batch_norm_eps", PLD_JSON_OPTIONAL, &c->statistics_epsilon, error));
    if (!((float)c->statistics_epsilon > 0 && c->statistics_epsilon < 1)) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'batch_norm_eps': expected a number in (0, 1), found %g", top->file,
                        c->statistics_epsilon);
    }
    return pld_kl_channels(c) <= PLD_MOST_LATENT_CHANNELS
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_UNSUPPORTED,
                          "%s: field 'latent_channels': expected at most %d, found %lld", top->file,
                          PLD_MOST_LATENT_CHANNELS / 4, (long long)c->latent_channels);
}

pld_status pld_kl_config_read(const char *file, pld_kl_config *config, pld_error *error) {
    return pld_json_read_file(file, pld_kl_config_parse, config, error);
}
