/* SPDX-License-Identifier: Apache-2.0 */
/* The original names fuse queries, keys and values into one matrix. The last modulations, of the picture behind the blocks
 * and of the text in the last of them, have shift before scale there, after it in diffusers. */
#include "models/sd3/files.h"

/** Of the picture's tokens, in either attention. */
static const pld_name_rule image_attention[] = {
    PLD_RENAME("qkv.", "to_q.", PLD_ROW_PART(0, 1, 3)),
    PLD_RENAME("qkv.", "to_k.", PLD_ROW_PART(1, 1, 3)),
    PLD_RENAME("qkv.", "to_v.", PLD_ROW_PART(2, 1, 3)),
    PLD_RENAME("proj.", "to_out.0."),
    PLD_RENAME("ln_q.", "norm_q."),
    PLD_RENAME("ln_k.", "norm_k."),
    {0},
};

static const pld_name_rule block[] = {
    PLD_RENAME("x_block.adaLN_modulation.1.", "norm1.linear."),
    PLD_RENAME("context_block.attn.qkv.", "attn.add_q_proj.", PLD_ROW_PART(0, 1, 3)),
    PLD_RENAME("context_block.attn.qkv.", "attn.add_k_proj.", PLD_ROW_PART(1, 1, 3)),
    PLD_RENAME("context_block.attn.qkv.", "attn.add_v_proj.", PLD_ROW_PART(2, 1, 3)),
    PLD_RENAME("context_block.attn.proj.", "attn.to_add_out."),
    PLD_RENAME("context_block.attn.ln_q.", "attn.norm_added_q."),
    PLD_RENAME("context_block.attn.ln_k.", "attn.norm_added_k."),
    PLD_RENAME("x_block.attn2.", "attn2.", .inside = image_attention),
    PLD_RENAME("x_block.attn.", "attn.", .inside = image_attention),
    PLD_RENAME("x_block.mlp.fc1.", "ff.net.0.proj."),
    PLD_RENAME("x_block.mlp.fc2.", "ff.net.2."),
    PLD_RENAME("context_block.adaLN_modulation.1.", "norm1_context.linear."),
    PLD_RENAME("context_block.mlp.fc1.", "ff_context.net.0.proj."),
    PLD_RENAME("context_block.mlp.fc2.", "ff_context.net.2."),
    {0},
};

const pld_name_rule pld_sd3_names[] = {
    PLD_RENAME("x_embedder.proj.", "pos_embed.proj."),
    PLD_RENAME("pos_embed", "pos_embed.pos_embed"),
    PLD_RENAME("context_embedder.", "context_embedder."),
    PLD_RENAME("t_embedder.mlp.0.", "time_text_embed.timestep_embedder.linear_1."),
    PLD_RENAME("t_embedder.mlp.2.", "time_text_embed.timestep_embedder.linear_2."),
    PLD_RENAME("y_embedder.mlp.0.", "time_text_embed.text_embedder.linear_1."),
    PLD_RENAME("y_embedder.mlp.2.", "time_text_embed.text_embedder.linear_2."),
    PLD_RENAME("joint_blocks.{n}.context_block.adaLN_modulation.1.",
               "transformer_blocks.{n}.norm1_context.linear.", PLD_ROW_PART(1, 2, 2)),
    PLD_RENAME("joint_blocks.{a}.", "transformer_blocks.{a}.", .inside = block),
    PLD_RENAME("final_layer.adaLN_modulation.1.", "norm_out.linear.", PLD_ROW_PART(1, 2, 2)),
    PLD_RENAME("final_layer.linear.", "proj_out."),
    {0},
};

const pld_name_rule pld_diffusers_sd3_names[] = {
    PLD_RENAME("pos_embed.", "pos_embed."),
    PLD_RENAME("context_embedder.", "context_embedder."),
    PLD_RENAME("time_text_embed.", "time_text_embed."),
    PLD_RENAME("transformer_blocks.", "transformer_blocks."),
    PLD_RENAME("norm_out.", "norm_out."),
    PLD_RENAME("proj_out.", "proj_out."),
    {0},
};

/* The last block's text has another modulation than the others', so its number has to be known. */
#define ORIGINAL(prefix_)                                                                                    \
    {                                                                                                        \
        .part = "transformer", .naming = "Stability AI", .prefix = (prefix_), .names = pld_sd3_names,        \
        .mark = "joint_blocks.0.x_block.attn.qkv.weight",                                                    \
        .levels = "joint_blocks.%d.context_block.adaLN_modulation.1.weight",                                 \
        .diffusers_levels = "transformer_blocks.%d.norm1_context.linear.weight"                              \
    }
/* A mark that other transformers with joint attention lack: FLUX.1's places are not stored. */
#define DIFFUSERS(prefix_)                                                                                   \
    {                                                                                                        \
        .part = "transformer", .naming = "diffusers", .prefix = (prefix_), .names = pld_diffusers_sd3_names, \
        .mark = "pos_embed.pos_embed"                                                                        \
    }

const pld_part_layout pld_sd3_layouts[] = {
    ORIGINAL("model.diffusion_model."),
    ORIGINAL("diffusion_model."),
    ORIGINAL(""),
    DIFFUSERS("transformer."),
    DIFFUSERS(""),
    {0},
};

const pld_stranger pld_sd3_strangers[] = {
    {"controlnet_", "a ControlNet, which is not supported"},
    {"pos_embed_input.", "a ControlNet, which is not supported"},
    {"image_proj.", "an IP-Adapter, which is not supported"},
    {"adaln_single.", "a transformer like PixArt's, which is supported only as a diffusers folder"},
    {0},
};
