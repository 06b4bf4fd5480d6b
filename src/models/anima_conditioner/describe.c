/* SPDX-License-Identifier: Apache-2.0 */
#include "models/layouts/describe.h"
#include "io/json/build.h"
#include "models/anima_conditioner/anima_conditioner.h"

pld_status pld_anima_conditioner_describe(const pld_description *description, json_t **config,
                                          pld_error *error) {
    enum { MOST_LAYERS = 256 };
    static const char source[] = "blocks.0.cross_attn.k_proj.weight";
    static const char norm[] = "blocks.0.cross_attn.q_norm.weight";
    static const char width[] = "blocks.0.norm_mlp.weight";
    static const char hidden[] = "blocks.0.mlp.0.weight";
    static const pld_needed_tensor wanted[] = {{source, 1}, {norm, 1},           {width, 1},
                                               {hidden, 1}, {"embed.weight", 1}, {"out_proj.weight", 1}};
    const pld_weight_files *weights = description->weights;
    pld_json_builder builder = {0};
    PLD_TRY(pld_describe_need(weights, wanted, sizeof wanted / sizeof *wanted, error));
    const int64_t channels = pld_shape_of(weights, 0, "%s", width);
    json_t *document = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "_class_name", "AnimaTextConditioner", "source_dim",
        (json_int_t)pld_shape_of(weights, 1, "%s", source), "target_dim",
        (json_int_t)pld_shape_of(weights, 1, "embed.weight"), "model_dim", (json_int_t)channels, "num_layers",
        (json_int_t)pld_count_numbered(weights, "blocks.", ".norm_mlp.weight", MOST_LAYERS),
        "num_attention_heads", (json_int_t)(channels / pld_shape_of(weights, 0, "%s", norm)),
        "target_vocab_size", (json_int_t)pld_shape_of(weights, 0, "embed.weight"), "mlp_ratio",
        (double)pld_shape_of(weights, 0, "%s", hidden) / (double)channels);
    return pld_describe_finish(&builder, document, description, config, error);
}
