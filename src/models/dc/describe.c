/* SPDX-License-Identifier: Apache-2.0 */
#include "models/layouts/describe.h"

#include <stdio.h>

#include "io/json/build.h"
#include "models/dc/dc.h"

/** Lists of one half, an entry for each level. */
typedef struct half_lists {
    json_t *widths, *layers, *kinds, *scales;
} half_lists;

/** "decoder.up_blocks" or "encoder.down_blocks". */
static int64_t attention_width(const pld_weight_files *vae, const char *blocks, int level, int index) {
    return pld_shape_of(vae, 0, "%s.%d.%d.attn.to_q.weight", blocks, level, index);
}

static int64_t block_width(const pld_weight_files *vae, const char *blocks, int level, int index) {
    const int64_t attends = attention_width(vae, blocks, level, index);
    return attends ? attends : pld_shape_of(vae, 0, "%s.%d.%d.conv1.weight", blocks, level, index);
}

/** Whether block 0 of a level is the way up to it. */
static int first_block(const pld_weight_files *vae, const char *blocks, int level) {
    return pld_shape_of(vae, 0, "%s.%d.0.conv.weight", blocks, level) > 0;
}

/** Append what the tensors of a level say; false: there is no such level. */
static bool describe_level(pld_json_builder *builder, const pld_weight_files *vae, const char *blocks,
                           int level, half_lists *lists) {
    const int first = first_block(vae, blocks, level);
    const int64_t width = block_width(vae, blocks, level, first);
    json_t *scales = json_array();
    int layers = 0;
    while (block_width(vae, blocks, level, first + layers)) {
        layers++;
    }
    for (int i = 0; i < PLD_DC_MOST_SCALES; i++) {
        const int64_t side = pld_shape_of(vae, 2, "%s.%d.%d.attn.to_qkv_multiscale.%d.proj_in.weight", blocks,
                                          level, first, i);
        if (side) {
            pld_json_append(builder, scales, json_integer(side));
        }
    }
    /* the finest level may have no layers, and then has no tensors and no width that matters */
    const int64_t next = level == 0 ? block_width(vae, blocks, 1, first_block(vae, blocks, 1)) : 0;
    if (!width && !next) {
        json_decref(scales);
        return false;
    }
    pld_json_append(builder, lists->widths, json_integer(width ? width : next));
    pld_json_append(builder, lists->layers, json_integer(layers));
    pld_json_append(
        builder, lists->kinds,
        json_string(attention_width(vae, blocks, level, first) ? "EfficientViTBlock" : "ResBlock"));
    pld_json_append(builder, lists->scales, scales);
    return true;
}

/** Levels of a half; 0: none. */
static int describe_half(pld_json_builder *builder, const pld_weight_files *vae, const char *half,
                         const char *blocks, json_t *document) {
    half_lists lists = {json_array(), json_array(), json_array(), json_array()};
    char field[64];
    int levels = 0;
    while (levels < PLD_DC_MOST_LEVELS && describe_level(builder, vae, blocks, levels, &lists)) {
        levels++;
    }
    const struct {
        const char *name;
        json_t *list;
    } fields[] = {{"block_out_channels", lists.widths},
                  {"layers_per_block", lists.layers},
                  {"block_types", lists.kinds},
                  {"qkv_multiscales", lists.scales}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        snprintf(field, sizeof field, "%s_%s", half, fields[i].name);
        pld_json_put(builder, document, field, fields[i].list);
    }
    return levels;
}

/** Numbers of a head: the depth of a group of any attention's second projection. */
static int64_t head_size_of(const pld_weight_files *vae) {
    int64_t size = 0;
    for (int level = PLD_DC_MOST_LEVELS; level-- > 0 && !size;) {
        for (int index = 0; index < 2 && !size; index++) {
            size = pld_shape_of(vae, 1, "decoder.up_blocks.%d.%d.attn.to_qkv_multiscale.0.proj_out.weight",
                                level, index);
        }
    }
    return size ? size : 32;
}

pld_status pld_dc_describe(const pld_description *description, json_t **config, pld_error *error) {
    const pld_weight_files *vae = description->weights;
    pld_json_builder builder = {0};
    json_t *document = json_pack("{s:s, s:i}", "_class_name", "AutoencoderDC", "in_channels", 3);
    const int levels = describe_half(&builder, vae, "decoder", "decoder.up_blocks", document);
    describe_half(&builder, vae, "encoder", "encoder.down_blocks", document);
    const int64_t latents = pld_shape_of(vae, 1, "decoder.conv_in.weight");
    if (levels < 2 || !latents) {
        json_decref(document);
        return pld_describe_missing(
            vae, latents ? "decoder.up_blocks.1.1.conv2.weight" : "decoder.conv_in.weight", error);
    }
    /* the way up from the coarsest level but one: as many channels as the level, or four times as many */
    const int below = levels - 2;
    const int64_t up = pld_shape_of(vae, 0, "decoder.up_blocks.%d.0.conv.weight", below);
    const bool shuffles = up == 4 * block_width(vae, "decoder.up_blocks", below, 1);
    const int64_t down_index = json_integer_value(
        json_array_get(json_object_get(document, "encoder_layers_per_block"), (size_t)below));
    const int64_t down =
        pld_shape_of(vae, 0, "encoder.down_blocks.%d.%d.conv.weight", below, (int)down_index);
    const bool unshuffles = 4 * down == block_width(vae, "encoder.down_blocks", levels - 1, 0);
    pld_json_put(&builder, document, "latent_channels", json_integer(latents));
    pld_json_put(&builder, document, "attention_head_dim", json_integer(head_size_of(vae)));
    pld_json_put(&builder, document, "upsample_block_type",
                 json_string(shuffles ? "pixel_shuffle" : "interpolate"));
    pld_json_put(&builder, document, "downsample_block_type",
                 json_string(unshuffles ? "pixel_unshuffle" : "conv"));
    pld_json_put(&builder, document, "decoder_norm_types", json_string("rms_norm"));
    pld_json_put(&builder, document, "decoder_act_fns", json_string("silu"));
    return pld_describe_finish(&builder, document, description, config, error);
}
