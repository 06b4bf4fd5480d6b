/* SPDX-License-Identifier: Apache-2.0 */
/* Names in files of Wan and ComfyUI: blocks of all levels are numbered together, four a level in the decoder. */
#include "models/qwen_vae/qwen_vae.h"

static const pld_name_rule resnet[] = {
    PLD_RENAME("residual.0.", "norm1."),       PLD_RENAME("residual.2.", "conv1."),
    PLD_RENAME("residual.3.", "norm2."),       PLD_RENAME("residual.6.", "conv2."),
    PLD_RENAME("shortcut.", "conv_shortcut."), {0},
};

/** Of ways up and down. */
static const pld_name_rule resample[] = {
    PLD_RENAME("resample.1.", "resample.1."),
    PLD_RENAME("time_conv.", "time_conv."),
    {0},
};

/** A block of the encoder is a residual one or a way down. */
static const pld_name_rule either[] = {
    PLD_RENAME("residual.0.", "norm1."),       PLD_RENAME("residual.2.", "conv1."),
    PLD_RENAME("residual.3.", "norm2."),       PLD_RENAME("residual.6.", "conv2."),
    PLD_RENAME("shortcut.", "conv_shortcut."), PLD_RENAME("resample.1.", "resample.1."),
    PLD_RENAME("time_conv.", "time_conv."),    {0},
};

static const pld_name_rule attention[] = {
    PLD_RENAME("norm.", "norm."),
    PLD_RENAME("to_qkv.", "to_qkv."),
    PLD_RENAME("proj.", "proj."),
    {0},
};

const pld_name_rule pld_wan_vae_names[] = {
    PLD_RENAME("encoder.conv1.", "encoder.conv_in."),
    PLD_RENAME("encoder.downsamples.{a}.", "encoder.down_blocks.{a}.", .inside = either),
    PLD_RENAME("encoder.middle.0.", "encoder.mid_block.resnets.0.", .inside = resnet),
    PLD_RENAME("encoder.middle.1.", "encoder.mid_block.attentions.0.", .inside = attention),
    PLD_RENAME("encoder.middle.2.", "encoder.mid_block.resnets.1.", .inside = resnet),
    PLD_RENAME("encoder.head.0.", "encoder.norm_out."),
    PLD_RENAME("encoder.head.2.", "encoder.conv_out."),
    PLD_RENAME("conv1.", "quant_conv."),
    PLD_RENAME("conv2.", "post_quant_conv."),
    PLD_RENAME("decoder.conv1.", "decoder.conv_in."),
    PLD_RENAME("decoder.middle.0.", "decoder.mid_block.resnets.0.", .inside = resnet),
    PLD_RENAME("decoder.middle.1.", "decoder.mid_block.attentions.0.", .inside = attention),
    PLD_RENAME("decoder.middle.2.", "decoder.mid_block.resnets.1.", .inside = resnet),
    PLD_RENAME("decoder.upsamples.{4a+3}.", "decoder.up_blocks.{a}.upsamplers.0.", .inside = resample),
    PLD_RENAME("decoder.upsamples.{4a+b}.", "decoder.up_blocks.{a}.resnets.{b}.", .inside = resnet),
    PLD_RENAME("decoder.head.0.", "decoder.norm_out."),
    PLD_RENAME("decoder.head.2.", "decoder.conv_out."),
    {0},
};

const pld_name_rule pld_diffusers_qwen_vae_names[] = {
    PLD_RENAME("encoder.", "encoder."),
    PLD_RENAME("decoder.", "decoder."),
    PLD_RENAME("quant_conv.", "quant_conv."),
    PLD_RENAME("post_quant_conv.", "post_quant_conv."),
    {0},
};
