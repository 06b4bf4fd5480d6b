/* SPDX-License-Identifier: Apache-2.0 */
#include "models/qwen_vae/qwen_vae.h"

enum { RGB = 3, STEPS = 3 };

/** A 3×3 convolution whose weight has three steps of time. */
static pld_product_options with_steps(pld_product_options options) {
    options.steps = STEPS;
    return options;
}

/** Norms are x / max(‖x‖, 1e-12) · √C · gamma: RMS norms whose epsilon shows for zeros alone. */
static double norm_epsilon(int64_t channels) {
    return 1e-24 / (double)channels;
}

/** A convolution of silu(norm(x)), x of so many channels; `norm` is the name of its weight. */
static pld_product_options normed(pld_product_options options, const char *norm, int64_t channels) {
    options.norm = norm;
    options.norm_epsilon = norm_epsilon(channels);
    return with_steps(options);
}

/** shortcut(x) + conv2(silu(norm2(conv1(silu(norm1(x)))))); x [B, h, w, from] → [B, h, w, channels], in the place of x
 * where it has as many. */
static pld_value_id resnet(pld_builder *b, pld_value_id x, int64_t from, int64_t channels) {
    const pld_value_id y =
        pld_conv(b, "conv1", x, channels, PLD_CONV_3X3, normed(PLD_BIAS, "norm1.gamma", from));
    if (from != channels) {
        x = pld_linear(b, "conv_shortcut", x, channels, PLD_BIAS);
    }
    return pld_conv(b, "conv2", y, channels, PLD_CONV_3X3,
                    normed(pld_into(x, true), "norm2.gamma", channels));
}

static pld_value_id numbered_resnet(pld_builder *b, const char *list, int64_t index, pld_value_id x,
                                    int64_t from, int64_t channels) {
    size_t mark = pld_scope_enter(b, "%s.%d", list, (int)index);
    x = resnet(b, x, from, channels);
    pld_scope_leave(b, mark);
    return x;
}

/** x + proj(attention(norm(x))) with one head over all pixels. */
static pld_value_id mid_attention(pld_builder *b, pld_value_id x, int64_t width) {
    size_t mark = pld_scope_enter(b, "attentions.0");
    pld_rms_norm_options options = PLD_RMS_NORM;
    options.weight = ".gamma";
    const pld_value_id y = pld_rms_norm_with(b, "norm", x, norm_epsilon(width), options);
    const pld_value_id qkv = pld_linear(b, "to_qkv", y, 3 * width, PLD_BIAS);
    const pld_value_id query = pld_take_channels(b, qkv, 0, width);
    const pld_value_id key = pld_take_channels(b, qkv, width, width);
    const pld_value_id value = pld_take_channels(b, qkv, 2 * width, width);
    const pld_value_id out = pld_attend(b, pld_self_attention(query, key, value, 1));
    x = pld_linear(b, "proj", out, width, pld_into(x, true));
    pld_scope_leave(b, mark);
    return x;
}

static pld_value_id mid_block(pld_builder *b, pld_value_id x, int64_t width) {
    size_t mark = pld_scope_enter(b, "mid_block");
    x = numbered_resnet(b, "resnets", 0, x, width, width);
    x = mid_attention(b, x, width);
    x = numbered_resnet(b, "resnets", 1, x, width, width);
    pld_scope_leave(b, mark);
    return x;
}

/** What frames beyond the first would go through. */
static void pass_over_frames(pld_builder *b) {
    pld_pass_over(b, "time_conv.weight");
    pld_pass_over(b, "time_conv.bias");
}

/** Level `index` from the coarsest, whose input has `from` channels. It ends in an enlargement to half its channels. */
static pld_value_id up_block(pld_builder *b, const pld_qwen_vae_config *c, int64_t index, pld_value_id x,
                             int64_t from) {
    const int64_t width = c->widths[c->levels - 1 - index];
    size_t mark = pld_scope_enter(b, "up_blocks.%d", (int)index);
    for (int64_t i = 0; i <= c->layers; i++) {
        x = numbered_resnet(b, "resnets", i, x, i == 0 ? from : width, width);
    }
    if (index + 1 < c->levels && b->status == PLD_OK) {
        pld_product_options enlarged = PLD_BIAS;
        enlarged.height = 2 * b->plan->values[x].height;
        enlarged.width = 2 * b->plan->values[x].width;
        size_t inner = pld_scope_enter(b, "upsamplers.0");
        x = pld_conv(b, "resample.1", x, width / 2, PLD_CONV_3X3, enlarged);
        if (c->halves_frames[c->levels - 2 - index]) {
            pass_over_frames(b);
        }
        pld_scope_leave(b, inner);
    }
    pld_scope_leave(b, mark);
    return x;
}

/** conv_out(silu(norm_out(x))) */
static pld_value_id conv_out(pld_builder *b, pld_value_id x, int64_t width, int64_t channels) {
    return pld_conv(b, "conv_out", x, channels, PLD_CONV_3X3, normed(PLD_BIAS, "norm_out.gamma", width));
}

pld_status pld_qwen_vae_decoder_build(pld_plan *plan, const void *config, int64_t batch, int64_t height,
                                      int64_t width, pld_autoencoder_values *values, pld_error *error) {
    const pld_qwen_vae_config *c = config;
    const int64_t widest = c->widths[c->levels - 1];
    pld_builder b;
    pld_builder_init(&b, plan, error);
    plan->name = "vae_decoder";
    pld_value_id x = values->in = pld_input(&b, batch, height, width, c->latent_channels);
    x = pld_linear(&b, "post_quant_conv", x, c->latent_channels, PLD_BIAS);
    size_t mark = pld_scope_enter(&b, "decoder");
    x = pld_conv(&b, "conv_in", x, widest, PLD_CONV_3X3, with_steps(PLD_BIAS));
    x = mid_block(&b, x, widest);
    for (int64_t index = 0, from = widest; index < c->levels; index++) {
        x = up_block(&b, c, index, x, from);
        from = c->widths[c->levels - 1 - index] / 2;
    }
    x = conv_out(&b, x, c->widths[0], RGB);
    pld_scope_leave(&b, mark);
    pld_keep(&b, x);
    values->out = x;
    return b.status;
}

/** A way down, which pads below and on the right only. */
static pld_value_id down(pld_builder *b, pld_value_id x, int64_t index, int64_t width, bool halves_frames) {
    size_t mark = pld_scope_enter(b, "down_blocks.%d", (int)index);
    x = pld_conv(b, "resample.1", x, width, (pld_conv_geometry){3, 2, 0, 1}, PLD_BIAS);
    if (halves_frames) {
        pass_over_frames(b);
    }
    pld_scope_leave(b, mark);
    return x;
}

pld_status pld_qwen_vae_encoder_build(pld_plan *plan, const void *config, int64_t batch, int64_t height,
                                      int64_t width, pld_autoencoder_values *values, pld_error *error) {
    const pld_qwen_vae_config *c = config;
    const int64_t moments = 2 * c->latent_channels;
    int64_t from = c->base, block = 0; /* blocks of all levels are numbered together */
    pld_builder b;
    pld_builder_init(&b, plan, error);
    plan->name = "vae_encoder";
    pld_value_id x = values->in = pld_input(&b, batch, height, width, RGB);
    size_t mark = pld_scope_enter(&b, "encoder");
    x = pld_conv(&b, "conv_in", x, from, PLD_CONV_3X3, with_steps(PLD_BIAS));
    for (int64_t index = 0; index < c->levels; index++) {
        for (int64_t i = 0; i < c->layers; i++, from = c->widths[index]) {
            x = numbered_resnet(&b, "down_blocks", block++, x, from, c->widths[index]);
        }
        if (index + 1 < c->levels) {
            x = down(&b, x, block++, from, c->halves_frames[index]);
        }
    }
    x = mid_block(&b, x, from);
    x = conv_out(&b, x, from, moments);
    pld_scope_leave(&b, mark);
    x = pld_linear(&b, "quant_conv", x, moments, PLD_BIAS);
    pld_keep(&b, x);
    values->out = x;
    return b.status;
}
