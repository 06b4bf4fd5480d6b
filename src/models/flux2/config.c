/* SPDX-License-Identifier: Apache-2.0 */
#include "models/blocks/place_rotation.h"
#include "models/classes.h"
#include "models/families/rows.h"
#include "models/fixed_fields.h"
#include "models/flux2/flux2.h"

static const pld_fixed_field fixed_fields[] = {{"patch_size", "1", false}};

static pld_status read_integers(pld_flux2_config *c, int64_t *out_channels, const pld_json *top,
                                pld_error *error) {
    const pld_json_integer_field integers[] = {
        {"in_channels", PLD_JSON_OPTIONAL, 4, 1024, &c->channels},
        {"out_channels", PLD_JSON_NULLABLE, 4, 1024, out_channels},
        {"num_attention_heads", PLD_JSON_OPTIONAL, 1, 256, &c->heads},
        {"attention_head_dim", PLD_JSON_OPTIONAL, 2, 1024, &c->head_size},
        {"num_layers", PLD_JSON_OPTIONAL, 1, 256, &c->layers},
        {"num_single_layers", PLD_JSON_OPTIONAL, 0, 256, &c->single_layers},
        {"joint_attention_dim", PLD_JSON_OPTIONAL, 1, 1 << 16, &c->text_width},
        {"timestep_guidance_channels", PLD_JSON_OPTIONAL, 2, 1 << 12, &c->sinusoids},
    };
    PLD_TRY(pld_json_get_integer_fields(top, integers, sizeof integers / sizeof *integers, error));
    return c->sinusoids % 2 == 0
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_FORMAT,
                          "%s: field 'timestep_guidance_channels': expected an even number, "
                          "found %lld",
                          top->file, (long long)c->sinusoids);
}

static pld_status read_numbers(pld_flux2_config *c, const pld_json *top, pld_error *error) {
    double ratio = 3;
    PLD_TRY(pld_json_get_number(top, "mlp_ratio", PLD_JSON_OPTIONAL, &ratio, error));
    PLD_TRY(pld_json_get_number(top, "rope_theta", PLD_JSON_OPTIONAL, &c->theta, error));
    PLD_TRY(pld_json_get_number(top, "eps", PLD_JSON_OPTIONAL, &c->epsilon, error));
    if (!(ratio > 0 && ratio <= 64 && (double)pld_flux2_width(c) * ratio >= 1)) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'mlp_ratio': expected a number in (0, 64], found %g", top->file, ratio);
    }
    if (!(c->theta > 1 && c->theta <= 1e12)) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'rope_theta': expected a number in (1, 1e12], found %g", top->file,
                        c->theta);
    }
    if (!((float)c->epsilon > 0 && c->epsilon < 1)) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: field 'eps': expected a number in (0, 1), found %g",
                        top->file, c->epsilon);
    }
    c->mlp_width = (int64_t)((double)pld_flux2_width(c) * ratio);
    return PLD_OK;
}

pld_status pld_flux2_config_parse(void *target, const pld_json *top, pld_error *error) {
    pld_flux2_config *c = target;
    /* diffusers' defaults for what a file leaves out: those of FLUX.2 dev */
    *c = (pld_flux2_config){.channels = 128,
                            .heads = 48,
                            .head_size = 128,
                            .layers = 8,
                            .single_layers = 48,
                            .text_width = 15360,
                            .sinusoids = 256,
                            .axes = {32, 32, 32, 32},
                            .theta = 2000,
                            .epsilon = 1e-6,
                            .guidance_embeds = true};
    PLD_TRY(pld_class_check_config(top, &pld_class_flux2, error));
    PLD_TRY(pld_check_fixed_fields(top, fixed_fields, sizeof fixed_fields / sizeof *fixed_fields, error));
    int64_t out_channels = 0;
    PLD_TRY(read_integers(c, &out_channels, top, error));
    PLD_TRY(pld_check_channels(top, c->channels, out_channels ? out_channels : c->channels,
                               "a network that takes more than the latents", error));
    PLD_TRY(read_numbers(c, top, error));
    PLD_TRY(pld_json_get_flag(top, "guidance_embeds", &c->guidance_embeds, error));
    return pld_place_axes_read(top, "axes_dims_rope", "attention_head_dim", c->head_size, PLD_FLUX2_AXES,
                               c->axes, error);
}
