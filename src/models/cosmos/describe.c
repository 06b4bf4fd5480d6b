/* SPDX-License-Identifier: Apache-2.0 */
#include "models/layouts/describe.h"
#include "io/json/build.h"
#include "models/cosmos/cosmos.h"

pld_status pld_cosmos_describe(const pld_description *description, json_t **config, pld_error *error) {
    enum { PATCH = 2, PATCH_AREA = PATCH * PATCH, MASK_CHANNELS = 1, MOST_LAYERS = 256 };
    static const char query[] = "transformer_blocks.0.attn1.to_q.weight";
    static const char norm[] = "transformer_blocks.0.attn1.norm_q.weight";
    static const char hidden[] = "transformer_blocks.0.ff.net.0.proj.weight";
    static const char text[] = "transformer_blocks.0.attn2.to_k.weight";
    static const char rank[] = "transformer_blocks.0.norm1.linear_1.weight";
    static const pld_needed_tensor wanted[] = {{query, 1},
                                               {norm, 1},
                                               {hidden, 1},
                                               {text, 1},
                                               {rank, 1},
                                               {"patch_embed.proj.weight", 1},
                                               {"proj_out.weight", 1}};
    const pld_weight_files *weights = description->weights;
    pld_json_builder builder = {0};
    PLD_TRY(pld_describe_need(weights, wanted, sizeof wanted / sizeof *wanted, error));
    const int64_t width = pld_shape_of(weights, 0, "%s", query), head = pld_shape_of(weights, 0, "%s", norm);
    json_t *document = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:i, s:f, s:I, s:I, s:[i,i,i], s:[f,f,f], s:b, s:n}", "_class_name",
        "CosmosTransformer3DModel", "in_channels",
        (json_int_t)(pld_shape_of(weights, 1, "patch_embed.proj.weight") / PATCH_AREA - MASK_CHANNELS),
        "out_channels", (json_int_t)(pld_shape_of(weights, 0, "proj_out.weight") / PATCH_AREA),
        "num_attention_heads", (json_int_t)(width / head), "attention_head_dim", (json_int_t)head,
        "num_layers", pld_count_numbered(weights, "transformer_blocks.", ".attn1.to_q.weight", MOST_LAYERS),
        "mlp_ratio", (double)pld_shape_of(weights, 0, "%s", hidden) / (double)width, "text_embed_dim",
        (json_int_t)pld_shape_of(weights, 1, "%s", text), "adaln_lora_dim",
        (json_int_t)pld_shape_of(weights, 0, "%s", rank), "patch_size", 1, PATCH, PATCH, "rope_scale", 1.0,
        4.0, 4.0, "concat_padding_mask", 1, "extra_pos_embed_type");
    return pld_describe_finish(&builder, document, description, config, error);
}
