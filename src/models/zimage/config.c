/* SPDX-License-Identifier: Apache-2.0 */
#include "models/blocks/place_rotation.h"
#include "models/classes.h"
#include "models/families/rows.h"
#include "models/fixed_fields.h"
#include "models/zimage/zimage.h"

static const pld_fixed_field fixed_fields[] = {
    {"all_patch_size", "[2]", false}, {"all_f_patch_size", "[1]", false}, {"qk_norm", "true", false}};

static pld_status read_numbers(pld_zimage_config *c, int64_t *key_heads, const pld_json *top,
                               pld_error *error) {
    const pld_json_integer_field integers[] = {
        {"in_channels", PLD_JSON_OPTIONAL, 1, 1024, &c->channels},
        {"dim", PLD_JSON_OPTIONAL, 1, 1 << 16, &c->width},
        {"n_layers", PLD_JSON_OPTIONAL, 1, 256, &c->layers},
        {"n_refiner_layers", PLD_JSON_OPTIONAL, 0, 64, &c->refiners},
        {"n_heads", PLD_JSON_OPTIONAL, 1, 256, &c->heads},
        {"n_kv_heads", PLD_JSON_OPTIONAL, 1, 256, key_heads},
        {"cap_feat_dim", PLD_JSON_OPTIONAL, 1, 1 << 16, &c->text_width},
    };
    PLD_TRY(pld_json_get_integer_fields(top, integers, sizeof integers / sizeof *integers, error));
    PLD_TRY(pld_json_get_number(top, "norm_eps", PLD_JSON_OPTIONAL, &c->epsilon, error));
    PLD_TRY(pld_json_get_number(top, "rope_theta", PLD_JSON_OPTIONAL, &c->theta, error));
    return pld_json_get_number(top, "t_scale", PLD_JSON_OPTIONAL, &c->time_scale, error);
}

/** Omni is the same class with an encoder of pictures. */
static pld_status check_kind(const pld_zimage_config *c, int64_t key_heads, const pld_json *top,
                             pld_error *error) {
    if (json_is_number(json_object_get(top->value, "siglip_feat_dim"))) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: field 'siglip_feat_dim' is a number: this is Z-Image Omni, which also takes "
                        "pictures and is not supported; expected null, as of Z-Image and Z-Image-Turbo",
                        top->file);
    }
    if (c->width % c->heads != 0) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'dim': expected a multiple of n_heads (%lld), found %lld", top->file,
                        (long long)c->heads, (long long)c->width);
    }
    return key_heads == c->heads
               ? PLD_OK
               : pld_fail(
                     error, PLD_ERROR_UNSUPPORTED,
                     "%s: fields 'n_heads' and 'n_kv_heads': expected equal numbers, found %lld and %lld",
                     top->file, (long long)c->heads, (long long)key_heads);
}

pld_status pld_zimage_config_parse(void *target, const pld_json *top, pld_error *error) {
    pld_zimage_config *c = target;
    int64_t key_heads = 30;
    /* diffusers' defaults for what a file leaves out */
    *c = (pld_zimage_config){.channels = 16,
                             .width = 3840,
                             .heads = 30,
                             .layers = 30,
                             .refiners = 2,
                             .text_width = 2560,
                             .epsilon = 1e-5,
                             .theta = 256,
                             .time_scale = 1000,
                             .axes = {32, 48, 48}};
    PLD_TRY(pld_class_check_config(top, &pld_class_zimage, error));
    PLD_TRY(pld_check_fixed_fields(top, fixed_fields, sizeof fixed_fields / sizeof *fixed_fields, error));
    PLD_TRY(read_numbers(c, &key_heads, top, error));
    PLD_TRY(check_kind(c, key_heads, top, error));
    return pld_place_axes_read(top, "axes_dims", "dim / n_heads", c->width / c->heads, PLD_ZIMAGE_AXES,
                               c->axes, error);
}
