/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "io/json/build.h"
#include "models/layouts/describe.h"
#include "models/sd3/files.h"
#include "models/sd3/sd3.h"

enum { HEAD_SIZE = 64 };
static const char head_norm[] = "transformer_blocks.0.attn.norm_q.weight";
static const char second_attention[] = "transformer_blocks.0.attn2.to_q.weight";

/** Side of the square of places that are stored in one row after another; 0: they are no square, or more than are known. */
static int64_t side_of(int64_t places) {
    enum { MOST = 1 << 16 };
    const int64_t side = (int64_t)(sqrt((double)places) + 0.5);
    return side <= MOST && side * side == places ? side : 0;
}

/** Put "dual_attention_layers" into the document: numbers of the blocks with a second attention. */
static void put_dual_layers(pld_json_builder *builder, json_t *document, const pld_weight_files *weights,
                            int layers) {
    json_t *list = json_array();
    for (int i = 0; i < layers; i++) {
        if (pld_shape_of(weights, 0, "transformer_blocks.%d.attn2.to_q.weight", i)) {
            pld_json_append(builder, list, json_integer(i));
        }
    }
    pld_json_put(builder, document, "dual_attention_layers", list);
}

pld_status pld_sd3_describe(const pld_description *description, json_t **config, pld_error *error) {
    static const char input[] = "pos_embed.proj.weight", places[] = "pos_embed.pos_embed";
    static const char states[] = "context_embedder.weight";
    static const char pooled[] = "time_text_embed.text_embedder.linear_1.weight";
    static const pld_needed_tensor wanted[] = {{input, 4}, {places, 3}, {states, 2}, {pooled, 2}};
    const pld_weight_files *weights = description->weights;
    pld_json_builder builder = {0};
    PLD_TRY(pld_describe_need(weights, wanted, sizeof wanted / sizeof *wanted, error));
    const int layers =
        pld_count_numbered(weights, "transformer_blocks.", ".norm1.linear.weight", PLD_SD3_MOST_LAYERS);
    const int64_t width = pld_shape_of(weights, 0, "%s", input), side = pld_shape_of(weights, 2, "%s", input);
    const int64_t known = pld_shape_of(weights, 0, "%s", head_norm);
    const int64_t head = known ? known : width < HEAD_SIZE ? width : HEAD_SIZE;
    const int64_t square = side_of(pld_shape_of(weights, 1, "%s", places));
    if (width < 1 || side < 1) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: tensor '%s': expected patches of some size, found none",
                        pld_weight_files_path(weights, 0), input);
    }
    if (!square) {
        return pld_fail(
            error, PLD_ERROR_FORMAT, "%s: tensor '%s': expected the places of a square, found %lld",
            pld_weight_files_path(weights, 0), places, (long long)pld_shape_of(weights, 1, "%s", places));
    }
    json_t *document = json_pack(
        "{s:s, s:I, s:I, s:I, s:i, s:I, s:I, s:I, s:I, s:I, s:I}", "_class_name", "SD3Transformer2DModel",
        "patch_size", (json_int_t)side, "in_channels", (json_int_t)pld_shape_of(weights, 1, "%s", input),
        "out_channels", (json_int_t)(pld_shape_of(weights, 0, "proj_out.weight") / side / side), "num_layers",
        layers, "attention_head_dim", (json_int_t)head, "num_attention_heads", (json_int_t)(width / head),
        "joint_attention_dim", (json_int_t)pld_shape_of(weights, 1, "%s", states), "caption_projection_dim",
        (json_int_t)pld_shape_of(weights, 0, "%s", states), "pooled_projection_dim",
        (json_int_t)pld_shape_of(weights, 1, "%s", pooled), "pos_embed_max_size", (json_int_t)square);
    put_dual_layers(&builder, document, weights, layers);
    pld_json_put(&builder, document, "qk_norm", known ? json_string("rms_norm") : json_null());
    return pld_describe_finish(&builder, document, description, config, error);
}

pld_status pld_sd3_recognise(const pld_weight_files *weights, const char **published, pld_error *error) {
    (void)error;
    *published = !pld_shape_of(weights, 0, "%s", head_norm)         ? "sd3-medium"
                 : pld_shape_of(weights, 0, "%s", second_attention) ? "sd3.5-medium"
                                                                    : "sd3.5-large";
    return PLD_OK;
}
