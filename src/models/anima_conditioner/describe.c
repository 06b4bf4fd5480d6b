/* SPDX-License-Identifier: Apache-2.0 */
#include "models/layouts/describe.h"
#include "io/json/build.h"
#include "models/anima_conditioner/anima_conditioner.h"

static int count_layers(const pld_weight_files *weights) {
    enum { MOST_LAYERS = 256 };
    int layers = 0;
    while (layers < MOST_LAYERS && pld_shape_of(weights, 0, "blocks.%d.norm_mlp.weight", layers)) {
        layers++;
    }
    return layers;
}

pld_status pld_anima_conditioner_describe(const pld_description *description, json_t **config,
                                          pld_error *error) {
    static const char source[] = "blocks.0.cross_attn.k_proj.weight";
    static const char norm[] = "blocks.0.cross_attn.q_norm.weight";
    static const char width[] = "blocks.0.norm_mlp.weight";
    static const char hidden[] = "blocks.0.mlp.0.weight";
    static const char *const wanted[] = {source, norm, width, hidden, "embed.weight", "out_proj.weight"};
    const pld_weight_files *weights = description->weights;
    pld_json_builder builder = {0};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (!pld_shape_of(weights, 0, "%s", wanted[i])) {
            return pld_describe_missing(weights, wanted[i], error);
        }
    }
    const int64_t channels = pld_shape_of(weights, 0, "%s", width);
    json_t *document =
        json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "_class_name", "AnimaTextConditioner",
                  "source_dim", (json_int_t)pld_shape_of(weights, 1, "%s", source), "target_dim",
                  (json_int_t)pld_shape_of(weights, 1, "embed.weight"), "model_dim", (json_int_t)channels,
                  "num_layers", (json_int_t)count_layers(weights), "num_attention_heads",
                  (json_int_t)(channels / pld_shape_of(weights, 0, "%s", norm)), "target_vocab_size",
                  (json_int_t)pld_shape_of(weights, 0, "embed.weight"), "mlp_ratio",
                  (double)pld_shape_of(weights, 0, "%s", hidden) / (double)channels);
    return pld_describe_finish(&builder, document, description, config, error);
}
