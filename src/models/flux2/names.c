/* SPDX-License-Identifier: Apache-2.0 */
/* The original names fuse queries, keys and values of the double blocks; the fused matrices of the single blocks are one in
 * diffusers, too. The last modulation has shift before scale there, after it in diffusers. */
#include "models/blocks/joint_names.h"
#include "models/flux2/files.h"

static const pld_name_rule double_block[] = {
    PLD_RENAME("img_attn.", "attn.", .inside = pld_joint_image_names),
    PLD_RENAME("img_mlp.0.", "ff.linear_in."),
    PLD_RENAME("img_mlp.2.", "ff.linear_out."),
    PLD_RENAME("txt_attn.", "attn.", .inside = pld_joint_text_names),
    PLD_RENAME("txt_mlp.0.", "ff_context.linear_in."),
    PLD_RENAME("txt_mlp.2.", "ff_context.linear_out."),
    {0},
};

static const pld_name_rule single_block[] = {
    PLD_RENAME("norm.query_norm.scale", "attn.norm_q.weight"),
    PLD_RENAME("norm.key_norm.scale", "attn.norm_k.weight"),
    PLD_RENAME("linear1.", "attn.to_qkv_mlp_proj."),
    PLD_RENAME("linear2.", "attn.to_out."),
    {0},
};

const pld_name_rule pld_flux2_names[] = {
    PLD_RENAME("img_in.", "x_embedder."),
    PLD_RENAME("txt_in.", "context_embedder."),
    PLD_RENAME("time_in.in_layer.", "time_guidance_embed.timestep_embedder.linear_1."),
    PLD_RENAME("time_in.out_layer.", "time_guidance_embed.timestep_embedder.linear_2."),
    PLD_RENAME("guidance_in.in_layer.", "time_guidance_embed.guidance_embedder.linear_1."),
    PLD_RENAME("guidance_in.out_layer.", "time_guidance_embed.guidance_embedder.linear_2."),
    PLD_RENAME("double_stream_modulation_img.lin.", "double_stream_modulation_img.linear."),
    PLD_RENAME("double_stream_modulation_txt.lin.", "double_stream_modulation_txt.linear."),
    PLD_RENAME("single_stream_modulation.lin.", "single_stream_modulation.linear."),
    PLD_RENAME("double_blocks.{a}.", "transformer_blocks.{a}.", .inside = double_block),
    PLD_RENAME("single_blocks.{a}.", "single_transformer_blocks.{a}.", .inside = single_block),
    PLD_RENAME("final_layer.adaLN_modulation.1.", "norm_out.linear.", PLD_ROW_PART(1, 2, 2)),
    PLD_RENAME("final_layer.linear.", "proj_out."),
    {0},
};

const pld_name_rule pld_diffusers_flux2_names[] = {
    PLD_RENAME("x_embedder.", "x_embedder."),
    PLD_RENAME("context_embedder.", "context_embedder."),
    PLD_RENAME("time_guidance_embed.", "time_guidance_embed."),
    PLD_RENAME("double_stream_modulation_img.", "double_stream_modulation_img."),
    PLD_RENAME("double_stream_modulation_txt.", "double_stream_modulation_txt."),
    PLD_RENAME("single_stream_modulation.", "single_stream_modulation."),
    PLD_RENAME("transformer_blocks.", "transformer_blocks."),
    PLD_RENAME("single_transformer_blocks.", "single_transformer_blocks."),
    PLD_RENAME("norm_out.", "norm_out."),
    PLD_RENAME("proj_out.", "proj_out."),
    {0},
};

/* Marks that no other network has. */
#define ORIGINAL(prefix_)                                                                                    \
    {                                                                                                        \
        .part = "transformer", .naming = "Black Forest Labs", .prefix = (prefix_), .names = pld_flux2_names, \
        .mark = "double_stream_modulation_img.lin.weight"                                                    \
    }
#define DIFFUSERS(prefix_)                                                                                   \
    {                                                                                                        \
        .part = "transformer", .naming = "diffusers", .prefix = (prefix_),                                   \
        .names = pld_diffusers_flux2_names, .mark = "double_stream_modulation_img.linear.weight"             \
    }

const pld_part_layout pld_flux2_layouts[] = {
    ORIGINAL("model.diffusion_model."),
    ORIGINAL("diffusion_model."),
    ORIGINAL(""),
    DIFFUSERS("transformer."),
    DIFFUSERS(""),
    {0},
};

const pld_stranger pld_flux2_strangers[] = {
    {"controlnet_", "a ControlNet, which is not supported"},
    {"ip_adapter", "an IP-Adapter, which is not supported"},
    {0},
};
