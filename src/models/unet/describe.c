/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "io/json/build.h"
#include "models/layouts/describe.h"
#include "models/unet/unet.h"

enum { MOST_DEPTH = 64, HEAD_SIZE = 64 };

/** Blocks of the transformer `at`; 0 where there is none. */
static int64_t depth_of(const pld_weight_files *unet, const char *at) {
    int64_t depth = 0;
    while (depth < MOST_DEPTH &&
           pld_shape_of(unet, 0, "%s.transformer_blocks.%d.norm1.weight", at, (int)depth)) {
        depth++;
    }
    return depth;
}

/** What is read off the tensors. */
typedef struct unet_shape {
    int64_t levels, layers;
    int64_t widths[PLD_UNET_MAX_LEVELS];
    int64_t depths[PLD_UNET_MAX_LEVELS];
    bool attends[PLD_UNET_MAX_LEVELS];
    const char *middle; /* mid_block_type; NULL: there is none */
} unet_shape;

/** The transformers of a level must all have one depth. */
static pld_status read_depth(const pld_weight_files *unet, unet_shape *shape, int level, pld_error *error) {
    char at[64];
    for (int i = 0; i <= shape->layers; i++) {
        const bool down = i < shape->layers;
        snprintf(at, sizeof at, "%s_blocks.%d.attentions.%d", down ? "down" : "up",
                 down ? level : (int)shape->levels - 1 - level, i);
        const int64_t depth = depth_of(unet, at);
        if (i == 0) {
            shape->attends[level] = depth > 0;
            shape->depths[level] = depth ? depth : 1;
        } else if (depth != (shape->attends[level] ? shape->depths[level] : 0)) {
            return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                            "%s: '%s' has %d transformer blocks, expected %d as in the first of its level; "
                            "pruned networks (SSD-1B and the like) are not supported",
                            pld_weight_files_path(unet, 0), at, (int)depth,
                            shape->attends[level] ? (int)shape->depths[level] : 0);
        }
    }
    return PLD_OK;
}

static pld_status read_shape(const pld_weight_files *unet, unet_shape *shape, pld_error *error) {
    while (shape->layers < 16 &&
           pld_shape_of(unet, 0, "down_blocks.0.resnets.%d.conv1.weight", (int)shape->layers)) {
        shape->layers++;
    }
    while (shape->levels < PLD_UNET_MAX_LEVELS) {
        const int64_t width =
            pld_shape_of(unet, 0, "down_blocks.%d.resnets.0.conv1.weight", (int)shape->levels);
        if (!width) {
            break;
        }
        shape->widths[shape->levels++] = width;
    }
    if (!shape->levels) {
        return pld_describe_missing(unet, "down_blocks.0.resnets.0.conv1.weight", error);
    }
    for (int level = 0; level < shape->levels; level++) {
        PLD_TRY(read_depth(unet, shape, level, error));
    }
    const int64_t middle = depth_of(unet, "mid_block.attentions.0");
    shape->middle = !pld_shape_of(unet, 0, "mid_block.resnets.0.conv1.weight") ? NULL
                    : middle || pld_shape_of(unet, 0, "mid_block.resnets.1.conv1.weight")
                        ? "UNetMidBlock2DCrossAttn"
                        : "UNetMidBlock2D";
    if (shape->middle && strcmp(shape->middle, "UNetMidBlock2D") != 0 &&
        middle != shape->depths[shape->levels - 1]) {
        /* SD 1 and 2: no attention at the last level, one block in the middle */
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: 'mid_block.attentions.0' has %d transformer blocks, expected %d; pruned networks "
            "(SSD-1B and the like) are not supported",
            pld_weight_files_path(unet, 0), (int)middle, (int)shape->depths[shape->levels - 1]);
    }
    return PLD_OK;
}

/** A list of `count` names: `attending` or `plain`, in reverse for the way up. */
static json_t *block_types(pld_json_builder *builder, const unet_shape *shape, bool up) {
    json_t *list = json_array();
    for (int i = 0; i < shape->levels; i++) {
        const bool attends = shape->attends[up ? shape->levels - 1 - i : i];
        const char *name = up ? (attends ? "CrossAttnUpBlock2D" : "UpBlock2D")
                              : (attends ? "CrossAttnDownBlock2D" : "DownBlock2D");
        pld_json_append(builder, list, json_string(name));
    }
    return list;
}

static json_t *integers(pld_json_builder *builder, const int64_t *values, int64_t count) {
    json_t *list = json_array();
    for (int64_t i = 0; i < count; i++) {
        pld_json_append(builder, list, json_integer(values[i]));
    }
    return list;
}

/** Heads of a level: one for each HEAD_SIZE channels. */
static json_t *heads(pld_json_builder *builder, const unet_shape *shape) {
    int64_t counts[PLD_UNET_MAX_LEVELS];
    for (int i = 0; i < shape->levels; i++) {
        counts[i] = shape->widths[i] >= HEAD_SIZE ? shape->widths[i] / HEAD_SIZE : 1;
    }
    return integers(builder, counts, shape->levels);
}

/** What the attentions have in common: linear projections, and the width of the states that they attend to. */
static void read_attention(const pld_weight_files *unet, const unet_shape *shape, bool *linear,
                           int64_t *context) {
    for (int i = 0; i < shape->levels; i++) {
        if (shape->attends[i]) {
            char name[64];
            pld_weight projection;
            snprintf(name, sizeof name, "down_blocks.%d.attentions.0.proj_in.weight", i);
            *linear = pld_weight_files_find(unet, name, &projection) && projection.tensor->rank == 2;
            *context = pld_shape_of(unet, 1,
                                    "down_blocks.%d.attentions.0.transformer_blocks.0.attn2.to_k.weight", i);
        }
    }
}

pld_status pld_unet_describe(const pld_description *description, json_t **config, pld_error *error) {
    const pld_weight_files *unet = description->weights;
    pld_json_builder builder = {0};
    unet_shape shape = {0};
    bool linear = false;
    int64_t context = 0;
    PLD_TRY(read_shape(unet, &shape, error));
    read_attention(unet, &shape, &linear, &context);
    json_t *document = json_pack(
        "{s:s, s:s, s:I, s:I, s:b, s:i, s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:b, s:i, s:f, s:i, s:s?}",
        "_class_name", "UNet2DConditionModel", "act_fn", "silu", "in_channels",
        (json_int_t)pld_shape_of(unet, 1, "conv_in.weight"), "out_channels",
        (json_int_t)pld_shape_of(unet, 0, "conv_out.weight"), "flip_sin_to_cos", 1, "freq_shift", 0,
        "down_block_types", block_types(&builder, &shape, false), "up_block_types",
        block_types(&builder, &shape, true), "block_out_channels",
        integers(&builder, shape.widths, shape.levels), "layers_per_block", (json_int_t)shape.layers,
        "cross_attention_dim", (json_int_t)context, "attention_head_dim", heads(&builder, &shape),
        "transformer_layers_per_block", integers(&builder, shape.depths, shape.levels),
        "use_linear_projection", (int)linear, "norm_num_groups", 32, "norm_eps", 1e-5, "downsample_padding",
        1, "mid_block_type", shape.middle);
    const int64_t added = pld_shape_of(unet, 1, "add_embedding.linear_1.weight");
    if (document && added) {
        /* the pooled text, then six numbers of the picture's size, each embedded as wide as the rest allows:
         * 1280 + 6 · 256 */
        enum { SIZE_WIDTH = 256 };
        pld_json_put(&builder, document, "addition_embed_type", json_string("text_time"));
        pld_json_put(&builder, document, "addition_time_embed_dim", json_integer(SIZE_WIDTH));
        pld_json_put(&builder, document, "projection_class_embeddings_input_dim", json_integer(added));
    }
    return pld_describe_finish(&builder, document, description, config, error);
}

pld_status pld_unet_recognise(const pld_weight_files *unet, const char **published, pld_error *error) {
    static const char *const attentions[] = {"down_blocks.0.attentions.0", "down_blocks.1.attentions.0",
                                             "down_blocks.2.attentions.0"};
    enum { CONTEXT_REFINER = 1280, CONTEXT_UNCLIP = 1024 };
    int64_t context = 0;
    bool linear = false;
    for (int i = 0; i < 3 && !context; i++) {
        pld_weight weight;
        char name[96];
        snprintf(name, sizeof name, "%s.proj_in.weight", attentions[i]);
        context = pld_shape_of(unet, 1, "%s.transformer_blocks.0.attn2.to_k.weight", attentions[i]);
        linear = pld_weight_files_find(unet, name, &weight) && weight.tensor->rank == 2;
    }
    if (!context) {
        return pld_describe_missing(unet, "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight",
                                    error);
    }
    const bool embeds_more = pld_shape_of(unet, 0, "add_embedding.linear_1.weight") > 0;
    if (embeds_more && (context == CONTEXT_REFINER || context == CONTEXT_UNCLIP)) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: found %s; expected Stable Diffusion 1, 2 or XL (the base model)",
                        pld_weight_files_path(unet, 0),
                        context == CONTEXT_REFINER ? "the refiner of Stable Diffusion XL"
                                                   : "a Stable Diffusion 2 unCLIP network");
    }
    *published = embeds_more ? "sdxl" : linear || context == 1024 ? "sd2" : "sd1";
    return PLD_OK;
}
