/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "io/json.h"
#include "io/json_build.h"
#include "models/layouts/describe.h"
#include "models/vae/vae.h"

/** `count` times the same name. */
static json_t *repeat(pld_json_builder *builder, const char *name, int64_t count) {
    json_t *list = json_array();
    for (int64_t i = 0; i < count; i++) {
        pld_json_append(builder, list, json_string(name));
    }
    return list;
}

pld_status pld_describe_vae(const pld_weight_files *vae, const pld_single_family *family, json_t **config,
                            pld_error *error) {
    pld_json_builder builder = {0};
    json_t *widths = json_array();
    int levels = 0;
    int layers = 0;
    for (int64_t width;
         levels < PLD_VAE_MAX_LEVELS &&
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
        "{s:s, s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:i, s:i, s:b, s:b, s:b, s:f, s:b, s:I}", "_class_name",
        "AutoencoderKL", "act_fn", "silu", "in_channels",
        (json_int_t)pld_shape_of(vae, 1, "encoder.conv_in.weight"), "out_channels",
        (json_int_t)pld_shape_of(vae, 0, "decoder.conv_out.weight"), "latent_channels",
        (json_int_t)pld_shape_of(vae, 1, "decoder.conv_in.weight"), "block_out_channels", widths,
        "down_block_types", repeat(&builder, "DownEncoderBlock2D", levels), "up_block_types",
        repeat(&builder, "UpDecoderBlock2D", levels), "layers_per_block", layers, "norm_num_groups", 32,
        "mid_block_add_attention", (int)attends, "use_quant_conv",
        (int)(pld_shape_of(vae, 0, "quant_conv.weight") > 0), "use_post_quant_conv",
        (int)(pld_shape_of(vae, 0, "post_quant_conv.weight") > 0), "scaling_factor", family->scaling_factor,
        "force_upcast", 1, "sample_size", (json_int_t)family->sample_size * 8);
    return pld_described(pld_json_finish(&builder, document), config, error);
}

pld_status pld_describe_text_encoder(const pld_weight_files *encoder, const char *kind, bool is_open_clip,
                                     bool drop_last, json_t **config, pld_error *error) {
    enum { HEAD_SIZE = 64, MOST_LAYERS = 128 };
    const char *table = "text_model.embeddings.token_embedding.weight";
    const int64_t vocabulary = pld_shape_of(encoder, 0, "%s", table);
    const int64_t width = pld_shape_of(encoder, 1, "%s", table);
    const int64_t projection = pld_shape_of(encoder, 0, "text_projection.weight");
    int layers = 0;
    while (layers < MOST_LAYERS &&
           pld_shape_of(encoder, 0, "text_model.encoder.layers.%d.layer_norm1.weight", layers)) {
        layers++;
    }
    if (!width) {
        return pld_describe_missing(encoder, table, error);
    }
    if (!layers) {
        return pld_describe_missing(encoder, "text_model.encoder.layers.0.layer_norm1.weight", error);
    }
    /* eos_token_id 2 stands in every published configuration and means "the largest id" */
    return pld_described(
        json_pack("{s:[s], s:s, s:I, s:I, s:I, s:I, s:i, s:I, s:I, s:s, s:f, s:i, s:i, s:i}", "architectures",
                  kind, "model_type", "clip_text_model", "vocab_size", (json_int_t)vocabulary, "hidden_size",
                  (json_int_t)width, "intermediate_size",
                  (json_int_t)pld_shape_of(encoder, 0, "text_model.encoder.layers.0.mlp.fc1.weight"),
                  "projection_dim", (json_int_t)(projection ? projection : width), "num_hidden_layers",
                  layers - (drop_last && layers > 1), "num_attention_heads",
                  (json_int_t)(width >= HEAD_SIZE ? width / HEAD_SIZE : 1), "max_position_embeddings",
                  (json_int_t)pld_shape_of(encoder, 0, "text_model.embeddings.position_embedding.weight"),
                  "hidden_act", is_open_clip ? "gelu" : "quick_gelu", "layer_norm_eps", 1e-5, "bos_token_id",
                  0, "eos_token_id", 2, "pad_token_id", 1),
        config, error);
}

/** ["library", "Class"] of one component. */
static void add_component(pld_json_builder *builder, json_t *index, const char *name, const char *library,
                          const char *kind) {
    pld_json_put(builder, index, name, json_pack("[s, s]", library, kind));
}

/** Take over `*document`, or release it where some step failed. */
static pld_status finish(const pld_json_builder *builder, json_t **document, pld_error *error) {
    return pld_described(pld_json_finish(builder, *document), document, error);
}

static pld_status describe_scheduler(const pld_single_family *family, const pld_told_prediction *prediction,
                                     json_t **scheduler, pld_error *error) {
    pld_json_builder builder = {0};
    PLD_TRY(pld_json_parse(family->scheduler, strlen(family->scheduler), family->name, scheduler, error));
    pld_json_put(&builder, *scheduler, "prediction_type", json_string(prediction->type));
    if (prediction->zero_snr) {
        pld_json_put(&builder, *scheduler, "rescale_betas_zero_snr", json_true());
        pld_json_put(&builder, *scheduler, "timestep_spacing", json_string("trailing"));
    }
    return finish(&builder, scheduler, error);
}

pld_status pld_describe_pipeline(const pld_single_family *family, const pld_told_prediction *prediction,
                                 json_t **index, json_t **scheduler, pld_error *error) {
    static const char *const encoders[] = {"text_encoder", "text_encoder_2"};
    pld_json_builder builder = {0};
    PLD_TRY(describe_scheduler(family, prediction, scheduler, error));
    *index = json_pack("{s:s}", "_class_name", family->pipeline);
    const char *schedule = json_string_value(json_object_get(*scheduler, "_class_name"));
    add_component(&builder, *index, "scheduler", "diffusers", schedule ? schedule : "");
    for (int i = 0; i < 2 && family->tokenizers[i]; i++) {
        add_component(&builder, *index, encoders[i], "transformers", family->text_encoder_kinds[i]);
        add_component(&builder, *index, family->tokenizers[i], "transformers", "CLIPTokenizer");
    }
    add_component(&builder, *index, "unet", "diffusers", "UNet2DConditionModel");
    add_component(&builder, *index, "vae", "diffusers", "AutoencoderKL");
    if (family->tokenizers[1]) {
        pld_json_put(&builder, *index, "force_zeros_for_empty_prompt", json_true());
    } else {
        pld_json_put(&builder, *index, "safety_checker", json_pack("[n, n]"));
        pld_json_put(&builder, *index, "feature_extractor", json_pack("[n, n]"));
        pld_json_put(&builder, *index, "requires_safety_checker", json_false());
    }
    return finish(&builder, index, error);
}
