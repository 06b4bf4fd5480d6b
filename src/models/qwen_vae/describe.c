/* SPDX-License-Identifier: Apache-2.0 */
#include "models/layouts/describe.h"

#include "io/json/build.h"
#include "models/qwen_vae/qwen_vae.h"

/** Channels of level `index` from the coarsest; 0: there is none. */
static int64_t width_of(const pld_weight_files *vae, int index) {
    return pld_shape_of(vae, 0, "decoder.up_blocks.%d.resnets.0.conv1.weight", index);
}

/** What no tensor says is what diffusers' class states: means and deviations of the latents. */
pld_status pld_qwen_vae_describe(const pld_description *description, json_t **config, pld_error *error) {
    const pld_weight_files *vae = description->weights;
    const int64_t base = pld_shape_of(vae, 0, "encoder.conv_in.weight");
    pld_json_builder builder = {0};
    int levels = 0, layers = 0;
    while (levels < PLD_QWEN_VAE_MOST_LEVELS && width_of(vae, levels)) {
        levels++;
    }
    while (layers < 16 && pld_shape_of(vae, 0, "decoder.up_blocks.0.resnets.%d.conv1.weight", layers)) {
        layers++;
    }
    if (!levels || !base || layers < 2) {
        return pld_describe_missing(
            vae, base ? "decoder.up_blocks.0.resnets.0.conv1.weight" : "encoder.conv_in.weight", error);
    }
    json_t *factors = json_array(), *halves = json_array();
    for (int i = 0; i < levels; i++) { /* from the finest */
        pld_json_append(&builder, factors, json_integer(width_of(vae, levels - 1 - i) / base));
    }
    for (int i = 0; i + 1 < levels; i++) {
        const int block = (i + 1) * layers - 1; /* of each level of the encoder its layers and a way down */
        pld_json_append(
            &builder, halves,
            json_boolean(pld_shape_of(vae, 0, "encoder.down_blocks.%d.time_conv.weight", block) > 0));
    }
    json_t *document = json_pack("{s:s, s:I, s:I, s:i, s:o, s:o, s:[], s:f, s:i}", "_class_name",
                                 "AutoencoderKLQwenImage", "base_dim", (json_int_t)base, "z_dim",
                                 (json_int_t)pld_shape_of(vae, 1, "decoder.conv_in.weight"), "num_res_blocks",
                                 layers - 1, "dim_mult", factors, "temperal_downsample", halves,
                                 "attn_scales", "dropout", 0.0, "input_channels", 3);
    return pld_describe_finish(&builder, document, description, config, error);
}
