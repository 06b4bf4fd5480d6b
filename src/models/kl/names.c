/* SPDX-License-Identifier: Apache-2.0 */
/* The autoencoder in latent-diffusion's names: the decoder's levels are counted from the finest, diffusers'
 * from the coarsest; its attention is made of 1×1 convolutions. */
#include "models/kl/kl.h"

static const pld_name_rule resnet[] = {
    PLD_RENAME("norm1.", "norm1."),
    PLD_RENAME("conv1.", "conv1."),
    PLD_RENAME("norm2.", "norm2."),
    PLD_RENAME("conv2.", "conv2."),
    PLD_RENAME("nin_shortcut.", "conv_shortcut."),
    {0},
};

static const pld_name_rule attention[] = {
    PLD_RENAME("norm.", "group_norm."),
    PLD_RENAME("q.", "to_q.", .form = PLD_FORM_CONV_1X1),
    PLD_RENAME("k.", "to_k.", .form = PLD_FORM_CONV_1X1),
    PLD_RENAME("v.", "to_v.", .form = PLD_FORM_CONV_1X1),
    PLD_RENAME("proj_out.", "to_out.0.", .form = PLD_FORM_CONV_1X1),
    /* diffusers before 0.17 */
    PLD_RENAME("q.", "query.", .form = PLD_FORM_CONV_1X1),
    PLD_RENAME("k.", "key.", .form = PLD_FORM_CONV_1X1),
    PLD_RENAME("v.", "value.", .form = PLD_FORM_CONV_1X1),
    PLD_RENAME("proj_out.", "proj_attn.", .form = PLD_FORM_CONV_1X1),
    {0},
};

/* What the files of either autoencoder have. */
#define CODERS                                                                                               \
    PLD_RENAME("encoder.conv_in.", "encoder.conv_in."),                                                      \
        PLD_RENAME("encoder.down.{a}.block.{b}.", "encoder.down_blocks.{a}.resnets.{b}.", .inside = resnet), \
        PLD_RENAME("encoder.down.{a}.downsample.conv.", "encoder.down_blocks.{a}.downsamplers.0.conv."),     \
        PLD_RENAME("encoder.mid.block_1.", "encoder.mid_block.resnets.0.", .inside = resnet),                \
        PLD_RENAME("encoder.mid.attn_1.", "encoder.mid_block.attentions.0.", .inside = attention),           \
        PLD_RENAME("encoder.mid.block_2.", "encoder.mid_block.resnets.1.", .inside = resnet),                \
        PLD_RENAME("encoder.norm_out.", "encoder.conv_norm_out."),                                           \
        PLD_RENAME("encoder.conv_out.", "encoder.conv_out."),                                                \
        PLD_RENAME("decoder.conv_in.", "decoder.conv_in."),                                                  \
        PLD_RENAME("decoder.mid.block_1.", "decoder.mid_block.resnets.0.", .inside = resnet),                \
        PLD_RENAME("decoder.mid.attn_1.", "decoder.mid_block.attentions.0.", .inside = attention),           \
        PLD_RENAME("decoder.mid.block_2.", "decoder.mid_block.resnets.1.", .inside = resnet),                \
        PLD_RENAME("decoder.up.{n-a}.block.{b}.", "decoder.up_blocks.{a}.resnets.{b}.", .inside = resnet),   \
        PLD_RENAME("decoder.up.{n-a}.upsample.conv.", "decoder.up_blocks.{a}.upsamplers.0.conv."),           \
        PLD_RENAME("decoder.norm_out.", "decoder.conv_norm_out."),                                           \
        PLD_RENAME("decoder.conv_out.", "decoder.conv_out.")

const pld_name_rule pld_kl_names[] = {
    CODERS,
    PLD_RENAME("quant_conv.", "quant_conv."),
    PLD_RENAME("post_quant_conv.", "post_quant_conv."),
    {0},
};

/* Black Forest Labs have those two layers within the coders. */
const pld_name_rule pld_kl_flux2_names[] = {
    CODERS,
    PLD_RENAME("encoder.quant_conv.", "quant_conv."),
    PLD_RENAME("decoder.post_quant_conv.", "post_quant_conv."),
    PLD_RENAME("bn.", "bn."),
    {0},
};

#define DIFFUSERS                                                                                            \
    PLD_RENAME("encoder.", "encoder."), PLD_RENAME("decoder.", "decoder."),                                  \
        PLD_RENAME("quant_conv.", "quant_conv."), PLD_RENAME("post_quant_conv.", "post_quant_conv.")

const pld_name_rule pld_diffusers_kl_names[] = {DIFFUSERS, {0}};
const pld_name_rule pld_diffusers_kl_flux2_names[] = {DIFFUSERS, PLD_RENAME("bn.", "bn."), {0}};
