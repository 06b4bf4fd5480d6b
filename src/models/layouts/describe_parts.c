/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "models/layouts/describe.h"
#include "models/vae/vae.h"

/** `count` times the same name. */
static json_t *repeat(const char *name, int64_t count) {
    json_t *list = json_array();
    for (int64_t i = 0; i < count; i++) {
        json_array_append_new(list, json_string(name));
    }
    return list;
}

pld_status pld_describe_vae(const pld_weight_files *vae, const pld_single_family *family, json_t **config,
                            pld_error *error) {
    json_t *widths = json_array();
    int levels = 0;
    int layers = 0;
    for (int64_t width;
         levels < PLD_VAE_MAX_LEVELS &&
         (width = pld_shape_of(vae, 0, "encoder.down_blocks.%d.resnets.0.conv1.weight", levels));
         levels++) {
        json_array_append_new(widths, json_integer(width));
    }
    while (layers < 16 && pld_shape_of(vae, 0, "encoder.down_blocks.0.resnets.%d.conv1.weight", layers)) {
        layers++;
    }
    if (!levels) {
        json_decref(widths);
        return pld_describe_missing(vae, "encoder.down_blocks.0.resnets.0.conv1.weight", error);
    }
    const bool attends = pld_shape_of(vae, 0, "decoder.mid_block.attentions.0.group_norm.weight") > 0;
    return pld_described(
        json_pack("{s:s, s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:i, s:i, s:b, s:b, s:b, s:f, s:b, s:I}",
                  "_class_name", "AutoencoderKL", "act_fn", "silu", "in_channels",
                  (json_int_t)pld_shape_of(vae, 1, "encoder.conv_in.weight"), "out_channels",
                  (json_int_t)pld_shape_of(vae, 0, "decoder.conv_out.weight"), "latent_channels",
                  (json_int_t)pld_shape_of(vae, 1, "decoder.conv_in.weight"), "block_out_channels", widths,
                  "down_block_types", repeat("DownEncoderBlock2D", levels), "up_block_types",
                  repeat("UpDecoderBlock2D", levels), "layers_per_block", layers, "norm_num_groups", 32,
                  "mid_block_add_attention", (int)attends, "use_quant_conv",
                  (int)(pld_shape_of(vae, 0, "quant_conv.weight") > 0), "use_post_quant_conv",
                  (int)(pld_shape_of(vae, 0, "post_quant_conv.weight") > 0), "scaling_factor",
                  family->scaling_factor, "force_upcast", 1, "sample_size",
                  (json_int_t)family->sample_size * 8),
        config, error);
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
static void add_component(json_t *index, const char *name, const char *library, const char *kind) {
    json_object_set_new(index, name, json_pack("[s, s]", library, kind));
}

pld_status pld_describe_pipeline(const pld_single_family *family, const pld_told_prediction *prediction,
                                 json_t **index, json_t **scheduler, pld_error *error) {
    PLD_TRY(pld_described(json_loads(family->scheduler, 0, NULL), scheduler, error));
    json_object_set_new(*scheduler, "prediction_type", json_string(prediction->type));
    if (prediction->zero_snr) {
        json_object_set_new(*scheduler, "rescale_betas_zero_snr", json_true());
        json_object_set_new(*scheduler, "timestep_spacing", json_string("trailing"));
    }
    static const char *const encoders[] = {"text_encoder", "text_encoder_2"};
    PLD_TRY(pld_described(json_pack("{s:s}", "_class_name", family->pipeline), index, error));
    const char *schedule = json_string_value(json_object_get(*scheduler, "_class_name"));
    add_component(*index, "scheduler", "diffusers", schedule ? schedule : "");
    for (int i = 0; i < 2 && family->tokenizers[i]; i++) {
        add_component(*index, encoders[i], "transformers", family->text_encoder_kinds[i]);
        add_component(*index, family->tokenizers[i], "transformers", "CLIPTokenizer");
    }
    add_component(*index, "unet", "diffusers", "UNet2DConditionModel");
    add_component(*index, "vae", "diffusers", "AutoencoderKL");
    if (family->tokenizers[1]) {
        json_object_set_new(*index, "force_zeros_for_empty_prompt", json_true());
    } else {
        json_object_set_new(*index, "safety_checker", json_pack("[n, n]"));
        json_object_set_new(*index, "feature_extractor", json_pack("[n, n]"));
        json_object_set_new(*index, "requires_safety_checker", json_false());
    }
    return PLD_OK;
}
