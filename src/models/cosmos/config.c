/* SPDX-License-Identifier: Apache-2.0 */
#include "models/classes.h"
#include "models/cosmos/cosmos.h"
#include "models/families/rows.h"
#include "models/fixed_fields.h"
#include "models/mlp_ratio.h"

/* Where a field says more than this, the network is one for videos. */
static const pld_fixed_field fixed_fields[] = {
    {"concat_padding_mask", "true", false}, {"use_crossattn_projection", "false", true},
    {"img_context_dim_in", "null", true},   {"controlnet_block_every_n", "null", true},
    {"extra_pos_embed_type", "null", true},
};

static pld_status read_integers(pld_cosmos_config *c, const pld_json *top, pld_error *error) {
    const pld_json_integer_field integers[] = {
        {"in_channels", PLD_JSON_OPTIONAL, 1, 128, &c->channels},
        {"out_channels", PLD_JSON_OPTIONAL, 1, 128, &c->out_channels},
        {"num_attention_heads", PLD_JSON_OPTIONAL, 1, 256, &c->heads},
        {"attention_head_dim", PLD_JSON_OPTIONAL, 12, 1024, &c->head_size},
        {"num_layers", PLD_JSON_OPTIONAL, 1, 256, &c->layers},
        {"text_embed_dim", PLD_JSON_OPTIONAL, 1, 1 << 16, &c->text_width},
        {"adaln_lora_dim", PLD_JSON_OPTIONAL, 1, 1 << 14, &c->rank},
    };
    return pld_json_get_integer_fields(top, integers, sizeof integers / sizeof *integers, error);
}

/** "patch_size": [frames, rows, columns] */
static pld_status read_patch(pld_cosmos_config *c, const pld_json *top, pld_error *error) {
    int64_t patch[PLD_COSMOS_AXES] = {1, 2, 2};
    PLD_TRY(pld_json_get_integer_or_list(top, "patch_size", PLD_JSON_OPTIONAL, 1, 16, PLD_COSMOS_AXES, patch,
                                         error));
    c->patch = patch[1];
    return patch[0] == 1 && patch[1] == patch[2]
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_UNSUPPORTED,
                          "%s: field 'patch_size': expected one frame and as many rows as columns, found "
                          "[%lld, %lld, %lld]",
                          top->file, (long long)patch[0], (long long)patch[1], (long long)patch[2]);
}

static pld_status read_scales(pld_cosmos_config *c, const pld_json *top, pld_error *error) {
    size_t count = PLD_COSMOS_AXES;
    PLD_TRY(pld_json_get_numbers(top, "rope_scale", PLD_JSON_OPTIONAL, PLD_COSMOS_AXES, c->rope_scale, &count,
                                 error));
    for (size_t i = 0; i < count; i++) {
        if (!((float)c->rope_scale[i] > 0 && c->rope_scale[i] <= 1000)) {
            return pld_fail(
                error, PLD_ERROR_FORMAT,
                "%s: field 'rope_scale[%zu]': expected a number above 0 and at most 1000, found %g",
                top->file, i, c->rope_scale[i]);
        }
    }
    return count == PLD_COSMOS_AXES
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_FORMAT, "%s: field 'rope_scale': expected %d numbers, found %zu",
                          top->file, (int)PLD_COSMOS_AXES, count);
}

pld_status pld_cosmos_config_parse(void *target, const pld_json *top, pld_error *error) {
    pld_cosmos_config *c = target;
    /* diffusers' defaults for what a file leaves out */
    *c = (pld_cosmos_config){.channels = 16,
                             .out_channels = 16,
                             .heads = 32,
                             .head_size = 128,
                             .layers = 28,
                             .text_width = 1024,
                             .rank = 256,
                             .rope_scale = {2, 1, 1}};
    PLD_TRY(pld_class_check_config(top, &pld_class_cosmos, error));
    if (!pld_json_is_null(top, "extra_pos_embed_type") && !pld_json_has(top, "extra_pos_embed_type")) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: field 'extra_pos_embed_type' is missing, which means learnable; only null is "
                        "implemented",
                        top->file);
    }
    PLD_TRY(pld_check_fixed_fields(top, fixed_fields, sizeof fixed_fields / sizeof *fixed_fields, error));
    PLD_TRY(read_integers(c, top, error));
    PLD_TRY(read_patch(c, top, error));
    PLD_TRY(read_scales(c, top, error));
    PLD_TRY(pld_mlp_width_read(top, pld_cosmos_width(c), &c->hidden, error));
    if (c->head_size % 2 != 0) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'attention_head_dim': expected an even number, found %lld", top->file,
                        (long long)c->head_size);
    }
    return PLD_OK;
}
