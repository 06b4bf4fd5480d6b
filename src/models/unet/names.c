/* SPDX-License-Identifier: Apache-2.0 */
/* The U-Net of SD 1, SD 2 and SDXL in latent-diffusion's names: two resnets to a level on the way down and a
 * downsampler as the third entry; three on the way up, the upsampler inside the third. */
#include "models/unet/unet.h"

static const pld_name_rule resnet[] = {
    PLD_RENAME("in_layers.0.", "norm1."),
    PLD_RENAME("in_layers.2.", "conv1."),
    PLD_RENAME("emb_layers.1.", "time_emb_proj."),
    PLD_RENAME("out_layers.0.", "norm2."),
    PLD_RENAME("out_layers.3.", "conv2."),
    PLD_RENAME("skip_connection.", "conv_shortcut."),
    {0},
};

const pld_name_rule pld_unet_names[] = {
    PLD_RENAME("input_blocks.0.0.", "conv_in."),
    PLD_RENAME("time_embed.0.", "time_embedding.linear_1."),
    PLD_RENAME("time_embed.2.", "time_embedding.linear_2."),
    PLD_RENAME("label_emb.0.0.", "add_embedding.linear_1."),
    PLD_RENAME("label_emb.0.2.", "add_embedding.linear_2."),
    PLD_RENAME("input_blocks.{3a+3}.0.op.", "down_blocks.{a}.downsamplers.0.conv."),
    PLD_RENAME("input_blocks.{3a+b+1}.0.", "down_blocks.{a}.resnets.{b}.", .inside = resnet),
    PLD_RENAME("input_blocks.{3a+b+1}.1.", "down_blocks.{a}.attentions.{b}."),
    PLD_RENAME("middle_block.0.", "mid_block.resnets.0.", .inside = resnet),
    PLD_RENAME("middle_block.1.", "mid_block.attentions.0."),
    PLD_RENAME("middle_block.2.", "mid_block.resnets.1.", .inside = resnet),
    /* behind the attention where there is one */
    PLD_RENAME("output_blocks.{3a+2}.2.conv.", "up_blocks.{a}.upsamplers.0.conv.",
               .beside = "up_blocks.{a}.attentions.0.norm.weight"),
    PLD_RENAME("output_blocks.{3a+2}.1.conv.", "up_blocks.{a}.upsamplers.0.conv."),
    PLD_RENAME("output_blocks.{3a+b}.0.", "up_blocks.{a}.resnets.{b}.", .inside = resnet),
    PLD_RENAME("output_blocks.{3a+b}.1.", "up_blocks.{a}.attentions.{b}."),
    PLD_RENAME("out.0.", "conv_norm_out."),
    PLD_RENAME("out.2.", "conv_out."),
    {0},
};

const pld_name_rule pld_diffusers_unet_names[] = {
    PLD_RENAME("conv_in.", "conv_in."),
    PLD_RENAME("time_embedding.", "time_embedding."),
    PLD_RENAME("add_embedding.", "add_embedding."),
    PLD_RENAME("down_blocks.", "down_blocks."),
    PLD_RENAME("mid_block.", "mid_block."),
    PLD_RENAME("up_blocks.", "up_blocks."),
    PLD_RENAME("conv_norm_out.", "conv_norm_out."),
    PLD_RENAME("conv_out.", "conv_out."),
    {0},
};
