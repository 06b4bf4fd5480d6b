/* SPDX-License-Identifier: Apache-2.0 */
#include "models/layouts/describe.h"
#include "io/json/build.h"
#include "models/clip/clip.h"
#include "models/published.h"

pld_status pld_clip_describe(const pld_description *description, json_t **config, pld_error *error) {
    enum { HEAD_SIZE = 64, MOST_LAYERS = 128 };
    static const char table[] = "text_model.embeddings.token_embedding.weight";
    const pld_weight_files *encoder = description->weights;
    const pld_published_part *published = pld_published_part_of(description->published, description->part);
    const bool is_open_clip = description->layout->names == pld_open_clip_names;
    const int unused = published ? published->unused_layers : 0;
    const int64_t width = pld_shape_of(encoder, 1, "%s", table);
    const int64_t projection = pld_shape_of(encoder, 0, "text_projection.weight");
    pld_json_builder builder = {0};
    const int layers =
        pld_count_numbered(encoder, "text_model.encoder.layers.", ".layer_norm1.weight", MOST_LAYERS);
    if (!width) {
        return pld_describe_missing(encoder, table, error);
    }
    if (!layers) {
        return pld_describe_missing(encoder, "text_model.encoder.layers.0.layer_norm1.weight", error);
    }
    /* eos_token_id 2 stands in every published configuration and means "the largest id" */
    json_t *document =
        json_pack("{s:[s], s:s, s:I, s:I, s:I, s:I, s:i, s:I, s:I, s:s, s:f, s:i, s:i, s:i}", "architectures",
                  published ? published->class_name : "CLIPTextModel", "model_type", "clip_text_model",
                  "vocab_size", (json_int_t)pld_shape_of(encoder, 0, "%s", table), "hidden_size",
                  (json_int_t)width, "intermediate_size",
                  (json_int_t)pld_shape_of(encoder, 0, "text_model.encoder.layers.0.mlp.fc1.weight"),
                  "projection_dim", (json_int_t)(projection ? projection : width), "num_hidden_layers",
                  layers > unused ? layers - unused : layers, "num_attention_heads",
                  (json_int_t)(width >= HEAD_SIZE ? width / HEAD_SIZE : 1), "max_position_embeddings",
                  (json_int_t)pld_shape_of(encoder, 0, "text_model.embeddings.position_embedding.weight"),
                  "hidden_act", is_open_clip ? "gelu" : "quick_gelu", "layer_norm_eps", 1e-5, "bos_token_id",
                  0, "eos_token_id", 2, "pad_token_id", 1);
    return pld_describe_finish(&builder, document, description, config, error);
}
