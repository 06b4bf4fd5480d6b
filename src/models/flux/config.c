/* SPDX-License-Identifier: Apache-2.0 */
#include "models/blocks/place_rotation.h"
#include "models/classes.h"
#include "models/families/rows.h"
#include "models/fixed_fields.h"
#include "models/flux/flux.h"

static const pld_fixed_field fixed_fields[] = {{"patch_size", "1", false}};

static pld_status read_integers(pld_flux_config *c, int64_t *out_channels, const pld_json *top,
                                pld_error *error) {
    const pld_json_integer_field integers[] = {
        {"in_channels", PLD_JSON_OPTIONAL, 4, 1024, &c->token_channels},
        {"out_channels", PLD_JSON_NULLABLE, 4, 1024, out_channels},
        {"num_attention_heads", PLD_JSON_OPTIONAL, 1, 256, &c->heads},
        {"attention_head_dim", PLD_JSON_OPTIONAL, 2, 1024, &c->head_size},
        {"num_layers", PLD_JSON_OPTIONAL, 1, 256, &c->layers},
        {"num_single_layers", PLD_JSON_OPTIONAL, 0, 256, &c->single_layers},
        {"joint_attention_dim", PLD_JSON_OPTIONAL, 1, 1 << 16, &c->text_width},
        {"pooled_projection_dim", PLD_JSON_OPTIONAL, 1, 1 << 14, &c->pooled_width},
    };
    return pld_json_get_integer_fields(top, integers, sizeof integers / sizeof *integers, error);
}

/** Relatives that take more than the latents have the same class and other channels. */
static pld_status check_channels(const pld_flux_config *c, int64_t out_channels, const pld_json *top,
                                 pld_error *error) {
    enum { FILL = 384, CONTROL = 128 };
    const int64_t in = c->token_channels;
    PLD_TRY(pld_check_channels(top, in, out_channels,
                               in == FILL      ? "FLUX Fill, which also takes a mask and the masked picture"
                               : in == CONTROL ? "FLUX Control, which also takes edges or depth of a picture"
                                               : "a network that takes more than the latents",
                               error));
    return in % PLD_FLUX_PATCH_AREA == 0
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_FORMAT,
                          "%s: field 'in_channels': expected a multiple of %d, since a token is a patch of "
                          "latents, found %lld",
                          top->file, (int)PLD_FLUX_PATCH_AREA, (long long)in);
}

pld_status pld_flux_config_parse(void *target, const pld_json *top, pld_error *error) {
    pld_flux_config *c = target;
    /* diffusers' defaults for what a file leaves out */
    *c = (pld_flux_config){.token_channels = 64,
                           .heads = 24,
                           .head_size = 128,
                           .layers = 19,
                           .single_layers = 38,
                           .text_width = 4096,
                           .pooled_width = 768,
                           .axes = {16, 56, 56}};
    PLD_TRY(pld_class_check_config(top, &pld_class_flux, error));
    PLD_TRY(pld_check_fixed_fields(top, fixed_fields, sizeof fixed_fields / sizeof *fixed_fields, error));
    int64_t out_channels = 0;
    PLD_TRY(read_integers(c, &out_channels, top, error));
    PLD_TRY(check_channels(c, out_channels ? out_channels : c->token_channels, top, error));
    PLD_TRY(pld_json_get_flag(top, "guidance_embeds", &c->guidance_embeds, error));
    return pld_place_axes_read(top, "axes_dims_rope", "attention_head_dim", c->head_size, PLD_FLUX_AXES,
                               c->axes, error);
}
