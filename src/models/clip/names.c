/* SPDX-License-Identifier: Apache-2.0 */
/* Text encoders: OpenCLIP's tower with its fused projection of queries, keys and values, and transformers'
 * CLIPTextModel, which some programs write without its outer name. */
#include "models/clip/clip.h"

static const pld_name_rule block[] = {
    PLD_RENAME("ln_1.", "layer_norm1."),
    PLD_RENAME("ln_2.", "layer_norm2."),
    PLD_RENAME("mlp.c_fc.", "mlp.fc1."),
    PLD_RENAME("mlp.c_proj.", "mlp.fc2."),
    PLD_RENAME("attn.out_proj.", "self_attn.out_proj."),
    PLD_RENAME("attn.in_proj_weight", "self_attn.q_proj.weight", PLD_ROW_PART(0, 1, 3)),
    PLD_RENAME("attn.in_proj_weight", "self_attn.k_proj.weight", PLD_ROW_PART(1, 1, 3)),
    PLD_RENAME("attn.in_proj_weight", "self_attn.v_proj.weight", PLD_ROW_PART(2, 1, 3)),
    PLD_RENAME("attn.in_proj_bias", "self_attn.q_proj.bias", PLD_ROW_PART(0, 1, 3)),
    PLD_RENAME("attn.in_proj_bias", "self_attn.k_proj.bias", PLD_ROW_PART(1, 1, 3)),
    PLD_RENAME("attn.in_proj_bias", "self_attn.v_proj.bias", PLD_ROW_PART(2, 1, 3)),
    {0},
};

const pld_name_rule pld_open_clip_names[] = {
    PLD_RENAME("positional_embedding", "text_model.embeddings.position_embedding.weight"),
    PLD_RENAME("token_embedding.weight", "text_model.embeddings.token_embedding.weight"),
    PLD_RENAME("transformer.resblocks.{a}.", "text_model.encoder.layers.{a}.", .inside = block),
    PLD_RENAME("ln_final.", "text_model.final_layer_norm."),
    PLD_RENAME("text_projection", "text_projection.weight", .form = PLD_FORM_TRANSPOSED),
    {0},
};

const pld_name_rule pld_clip_names[] = {
    PLD_RENAME("text_model.", "text_model."),
    PLD_RENAME("text_projection.", "text_projection."),
    PLD_RENAME("embeddings.", "text_model.embeddings."),
    PLD_RENAME("encoder.", "text_model.encoder."),
    PLD_RENAME("final_layer_norm.", "text_model.final_layer_norm."),
    {0},
};
