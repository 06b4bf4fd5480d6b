/* SPDX-License-Identifier: Apache-2.0 */
#include "models/layouts/describe.h"
#include "io/json/build.h"
#include "models/t5/t5.h"

#define BLOCK     "encoder.block.0.layer."
#define ATTENTION BLOCK "0.SelfAttention."

pld_status pld_t5_describe(const pld_description *description, json_t **config, pld_error *error) {
    enum { MOST_LAYERS = 256 };
    static const char bias[] = ATTENTION "relative_attention_bias.weight";
    static const char query[] = ATTENTION "q.weight";
    static const char hidden[] = BLOCK "1.DenseReluDense.wi_0.weight";
    const pld_weight_files *encoder = description->weights;
    const char *table =
        pld_shape_of(encoder, 0, "shared.weight") ? "shared.weight" : "encoder.embed_tokens.weight";
    const pld_needed_tensor wanted[] = {{table, 2}, {bias, 2}, {query, 2}, {hidden, 2}};
    pld_json_builder builder = {0};
    PLD_TRY(pld_describe_need(encoder, wanted, sizeof wanted / sizeof *wanted, error));
    const int layers =
        pld_count_numbered(encoder, "encoder.block.", ".layer.0.layer_norm.weight", MOST_LAYERS);
    /* The bias has a number for each bucket of distances and head. How far the buckets reach no tensor tells: all that are
     * published reach as far. */
    const int64_t heads = pld_shape_of(encoder, 1, "%s", bias);
    json_t *document = json_pack(
        "{s:[s], s:s, s:I, s:I, s:I, s:I, s:i, s:I, s:I, s:i, s:s, s:f, s:b, s:i, s:i}", "architectures",
        "T5EncoderModel", "model_type", "t5", "vocab_size", (json_int_t)pld_shape_of(encoder, 0, "%s", table),
        "d_model", (json_int_t)pld_shape_of(encoder, 1, "%s", table), "d_kv",
        (json_int_t)(pld_shape_of(encoder, 0, "%s", query) / heads), "d_ff",
        (json_int_t)pld_shape_of(encoder, 0, "%s", hidden), "num_layers", layers, "num_heads",
        (json_int_t)heads, "relative_attention_num_buckets", (json_int_t)pld_shape_of(encoder, 0, "%s", bias),
        "relative_attention_max_distance", 128, "feed_forward_proj", "gated-gelu", "layer_norm_epsilon", 1e-6,
        "is_encoder_decoder", 0, "pad_token_id", 0, "eos_token_id", 1);
    return pld_describe_finish(&builder, document, description, config, error);
}
