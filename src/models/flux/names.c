/* SPDX-License-Identifier: Apache-2.0 */
/* The original names fuse queries, keys and values into one matrix, in the single blocks the first layer of the MLP, too,
 * which is four times as wide as each of them. The last modulation has shift before scale there, after it in diffusers. */
#include "models/blocks/joint_names.h"
#include "models/flux/files.h"

static const pld_name_rule double_block[] = {
    PLD_RENAME("img_mod.lin.", "norm1.linear."),
    PLD_RENAME("img_attn.", "attn.", .inside = pld_joint_image_names),
    PLD_RENAME("img_mlp.0.", "ff.net.0.proj."),
    PLD_RENAME("img_mlp.2.", "ff.net.2."),
    PLD_RENAME("txt_mod.lin.", "norm1_context.linear."),
    PLD_RENAME("txt_attn.", "attn.", .inside = pld_joint_text_names),
    PLD_RENAME("txt_mlp.0.", "ff_context.net.0.proj."),
    PLD_RENAME("txt_mlp.2.", "ff_context.net.2."),
    {0},
};

static const pld_name_rule single_block[] = {
    PLD_RENAME("modulation.lin.", "norm.linear."),
    PLD_RENAME("norm.query_norm.scale", "attn.norm_q.weight"),
    PLD_RENAME("norm.key_norm.scale", "attn.norm_k.weight"),
    PLD_RENAME("linear1.", "attn.to_q.", PLD_ROW_PART(0, 1, 7)),
    PLD_RENAME("linear1.", "attn.to_k.", PLD_ROW_PART(1, 1, 7)),
    PLD_RENAME("linear1.", "attn.to_v.", PLD_ROW_PART(2, 1, 7)),
    PLD_RENAME("linear1.", "proj_mlp.", PLD_ROW_PART(3, 4, 7)),
    PLD_RENAME("linear2.", "proj_out."),
    {0},
};

const pld_name_rule pld_flux_names[] = {
    PLD_RENAME("img_in.", "x_embedder."),
    PLD_RENAME("txt_in.", "context_embedder."),
    PLD_RENAME("time_in.in_layer.", "time_text_embed.timestep_embedder.linear_1."),
    PLD_RENAME("time_in.out_layer.", "time_text_embed.timestep_embedder.linear_2."),
    PLD_RENAME("vector_in.in_layer.", "time_text_embed.text_embedder.linear_1."),
    PLD_RENAME("vector_in.out_layer.", "time_text_embed.text_embedder.linear_2."),
    PLD_RENAME("guidance_in.in_layer.", "time_text_embed.guidance_embedder.linear_1."),
    PLD_RENAME("guidance_in.out_layer.", "time_text_embed.guidance_embedder.linear_2."),
    PLD_RENAME("double_blocks.{a}.", "transformer_blocks.{a}.", .inside = double_block),
    PLD_RENAME("single_blocks.{a}.", "single_transformer_blocks.{a}.", .inside = single_block),
    PLD_RENAME("final_layer.adaLN_modulation.1.", "norm_out.linear.", PLD_ROW_PART(1, 2, 2)),
    PLD_RENAME("final_layer.linear.", "proj_out."),
    {0},
};

const pld_name_rule pld_diffusers_flux_names[] = {
    PLD_RENAME("x_embedder.", "x_embedder."),
    PLD_RENAME("context_embedder.", "context_embedder."),
    PLD_RENAME("time_text_embed.", "time_text_embed."),
    PLD_RENAME("transformer_blocks.", "transformer_blocks."),
    PLD_RENAME("single_transformer_blocks.", "single_transformer_blocks."),
    PLD_RENAME("norm_out.", "norm_out."),
    PLD_RENAME("proj_out.", "proj_out."),
    {0},
};

/* Marks that FLUX.2 and Chroma lack, whose blocks are called the same: each of their blocks has no modulation of its own. */
#define ORIGINAL(prefix_)                                                                                    \
    {                                                                                                        \
        .part = "transformer", .naming = "Black Forest Labs", .prefix = (prefix_), .names = pld_flux_names,  \
        .mark = "double_blocks.0.img_mod.lin.weight"                                                         \
    }
#define DIFFUSERS(prefix_)                                                                                   \
    {                                                                                                        \
        .part = "transformer", .naming = "diffusers", .prefix = (prefix_),                                   \
        .names = pld_diffusers_flux_names, .mark = "single_transformer_blocks.0.norm.linear.weight"          \
    }

const pld_part_layout pld_flux_layouts[] = {
    ORIGINAL("model.diffusion_model."),
    ORIGINAL("diffusion_model."),
    ORIGINAL(""),
    DIFFUSERS("transformer."),
    DIFFUSERS(""),
    {0},
};

const pld_stranger pld_flux_strangers[] = {
    {"controlnet_", "a ControlNet, which is not supported"},
    {"ip_adapter", "an IP-Adapter, which is not supported"},
    {".pulid_", "FLUX with PuLID, which is not supported: it takes pictures of faces as prompts"},
    {0},
};
