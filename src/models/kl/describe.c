/* SPDX-License-Identifier: Apache-2.0 */
#include "models/layouts/describe.h"
#include "io/json/build.h"
#include "models/kl/kl.h"

/** `count` times the same name. */
static json_t *repeat(pld_json_builder *builder, const char *name, int64_t count) {
    json_t *list = json_array();
    for (int64_t i = 0; i < count; i++) {
        pld_json_append(builder, list, json_string(name));
    }
    return list;
}

/** The document of a class. */
static pld_status describe(const pld_description *description, const char *class_name, json_t **config,
                           pld_error *error) {
    const pld_weight_files *vae = description->weights;
    pld_json_builder builder = {0};
    json_t *widths = json_array();
    int levels = 0;
    int layers = 0;
    for (int64_t width;
         levels < PLD_KL_MAX_LEVELS &&
         (width = pld_shape_of(vae, 0, "encoder.down_blocks.%d.resnets.0.conv1.weight", levels));
         levels++) {
        pld_json_append(&builder, widths, json_integer(width));
    }
    while (layers < 16 && pld_shape_of(vae, 0, "encoder.down_blocks.0.resnets.%d.conv1.weight", layers)) {
        layers++;
    }
    if (!levels) {
        json_decref(widths);
        return pld_describe_missing(vae, "encoder.down_blocks.0.resnets.0.conv1.weight", error);
    }
    const bool attends = pld_shape_of(vae, 0, "decoder.mid_block.attentions.0.group_norm.weight") > 0;
    json_t *document = json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:i, s:i, s:b, s:b, s:b, s:b}", "_class_name", class_name,
        "act_fn", "silu", "in_channels", (json_int_t)pld_shape_of(vae, 1, "encoder.conv_in.weight"),
        "out_channels", (json_int_t)pld_shape_of(vae, 0, "decoder.conv_out.weight"), "latent_channels",
        (json_int_t)pld_shape_of(vae, 1, "decoder.conv_in.weight"), "block_out_channels", widths,
        "down_block_types", repeat(&builder, "DownEncoderBlock2D", levels), "up_block_types",
        repeat(&builder, "UpDecoderBlock2D", levels), "layers_per_block", layers, "norm_num_groups", 32,
        "mid_block_add_attention", (int)attends, "use_quant_conv",
        (int)(pld_shape_of(vae, 0, "quant_conv.weight") > 0), "use_post_quant_conv",
        (int)(pld_shape_of(vae, 0, "post_quant_conv.weight") > 0), "force_upcast", 1);
    return pld_describe_finish(&builder, document, description, config, error);
}

pld_status pld_kl_describe(const pld_description *description, json_t **config, pld_error *error) {
    return describe(description, "AutoencoderKL", config, error);
}

pld_status pld_kl_flux2_describe(const pld_description *description, json_t **config, pld_error *error) {
    return describe(description, "AutoencoderKLFlux2", config, error);
}
