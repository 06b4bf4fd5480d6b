/* SPDX-License-Identifier: Apache-2.0 */
/* Encoder and decoder. Whatever changes the size has a shortcut beside it that moves pixels into channels, or channels into
 * pixels, with means or repeats where their numbers differ. */
#include "models/dc/dc.h"

static const double norm_epsilon = 1e-5;

/** The product of x is added to `shortcut`, or, without one, makes a value of its own. */
static pld_product_options beside(pld_value_id shortcut) {
    return shortcut == PLD_NO_VALUE ? PLD_BIAS : pld_into(shortcut, true);
}

/** x [B, h, w, C] → [B, 2h, 2w, width] */
static pld_value_id up(pld_builder *b, const pld_dc_config *c, pld_value_id x, int64_t width,
                       bool has_shortcut) {
    const pld_value_id shortcut =
        has_shortcut ? pld_pixel_shuffle(b, x, 2, width, PLD_NO_VALUE) : PLD_NO_VALUE;
    if (c->shuffles) {
        x = pld_conv(b, "conv", x, 4 * width, PLD_CONV_3X3, PLD_BIAS);
        return pld_pixel_shuffle(b, x, 2, width, shortcut);
    }
    pld_product_options enlarged = beside(shortcut);
    if (b->status == PLD_OK) {
        enlarged.height = 2 * b->plan->values[x].height;
        enlarged.width = 2 * b->plan->values[x].width;
    }
    return pld_conv(b, "conv", x, width, PLD_CONV_3X3, enlarged);
}

/** x [B, 2h, 2w, C] → [B, h, w, width] */
static pld_value_id down(pld_builder *b, const pld_dc_config *c, pld_value_id x, int64_t width,
                         bool has_shortcut) {
    const pld_value_id shortcut =
        has_shortcut ? pld_pixel_unshuffle(b, x, 2, width, PLD_NO_VALUE) : PLD_NO_VALUE;
    if (c->unshuffles) {
        x = pld_conv(b, "conv", x, width / 4, PLD_CONV_3X3, PLD_BIAS);
        return pld_pixel_unshuffle(b, x, 2, width, shortcut);
    }
    return pld_conv(b, "conv", x, width, (pld_conv_geometry){3, 2, 1, 1}, beside(shortcut));
}

static pld_value_id up_block(pld_builder *b, const pld_dc_config *c, int64_t index, pld_value_id x) {
    const pld_dc_level *level = &c->decoder[index];
    const int64_t first = index + 1 < c->levels;
    size_t mark = pld_scope_enter(b, "up_blocks.%d", (int)index);
    if (first) {
        size_t inner = pld_scope_enter(b, "0");
        x = up(b, c, x, level->width, true);
        pld_scope_leave(b, inner);
    }
    for (int64_t i = 0; i < level->layers; i++) {
        x = pld_dc_block(b, c, level, first + i, x);
    }
    pld_scope_leave(b, mark);
    return x;
}

/** conv_out(act(norm_out(x))): a convolution, or, where the finest level has no layers, the last way up. */
static pld_value_id conv_out(pld_builder *b, const pld_dc_config *c, pld_value_id x) {
    enum { RGB = 3 };
    pld_rms_norm_options options = PLD_RMS_NORM;
    options.bias = options.activated = true;
    options.activation = c->last_activation;
    x = pld_rms_norm_with(b, "norm_out", x, norm_epsilon, options);
    if (c->decoder[0].layers > 0) {
        return pld_conv(b, "conv_out", x, RGB, PLD_CONV_3X3, PLD_BIAS);
    }
    size_t mark = pld_scope_enter(b, "conv_out");
    x = up(b, c, x, RGB, false);
    pld_scope_leave(b, mark);
    return x;
}

pld_status pld_dc_decoder_build(pld_plan *plan, const void *config, int64_t batch, int64_t height,
                                int64_t width, pld_autoencoder_values *values, pld_error *error) {
    const pld_dc_config *c = config;
    const int64_t widest = c->decoder[c->levels - 1].width;
    pld_builder b;
    pld_builder_init(&b, plan, error);
    plan->name = "vae_decoder";
    pld_value_id x = values->in = pld_input(&b, batch, height, width, c->latent_channels);
    size_t mark = pld_scope_enter(&b, "decoder");
    const pld_value_id shortcut =
        c->in_shortcut ? pld_pixel_shuffle(&b, x, 1, widest, PLD_NO_VALUE) : PLD_NO_VALUE;
    x = pld_conv(&b, "conv_in", x, widest, PLD_CONV_3X3, beside(shortcut));
    for (int64_t index = c->levels - 1; index >= 0; index--) {
        if (c->decoder[index].layers > 0) {
            x = up_block(&b, c, index, x);
        }
    }
    x = conv_out(&b, c, x);
    pld_scope_leave(&b, mark);
    pld_keep(&b, x);
    values->out = x;
    return b.status;
}

static pld_value_id down_block(pld_builder *b, const pld_dc_config *c, int64_t index, pld_value_id x) {
    const pld_dc_level *level = &c->encoder[index];
    size_t mark = pld_scope_enter(b, "down_blocks.%d", (int)index);
    for (int64_t i = 0; i < level->layers; i++) {
        x = pld_dc_block(b, c, level, i, x);
    }
    if (index + 1 < c->levels) {
        size_t inner = pld_scope_enter(b, "%d", (int)level->layers);
        x = down(b, c, x, c->encoder[index + 1].width, true);
        pld_scope_leave(b, inner);
    }
    pld_scope_leave(b, mark);
    return x;
}

/** A convolution, or, where the finest level has no layers, the first way down. */
static pld_value_id conv_in(pld_builder *b, const pld_dc_config *c, pld_value_id x) {
    if (c->encoder[0].layers > 0) {
        return pld_conv(b, "conv_in", x, c->encoder[0].width, PLD_CONV_3X3, PLD_BIAS);
    }
    size_t mark = pld_scope_enter(b, "conv_in");
    x = down(b, c, x, c->encoder[1].width, false);
    pld_scope_leave(b, mark);
    return x;
}

pld_status pld_dc_encoder_build(pld_plan *plan, const void *config, int64_t batch, int64_t height,
                                int64_t width, pld_autoencoder_values *values, pld_error *error) {
    enum { RGB = 3 };
    const pld_dc_config *c = config;
    pld_builder b;
    pld_builder_init(&b, plan, error);
    plan->name = "vae_encoder";
    pld_value_id x = values->in = pld_input(&b, batch, height, width, RGB);
    size_t mark = pld_scope_enter(&b, "encoder");
    x = conv_in(&b, c, x);
    for (int64_t index = 0; index < c->levels; index++) {
        if (c->encoder[index].layers > 0) {
            x = down_block(&b, c, index, x);
        }
    }
    const pld_value_id shortcut =
        c->out_shortcut ? pld_pixel_unshuffle(&b, x, 1, c->latent_channels, PLD_NO_VALUE) : PLD_NO_VALUE;
    x = pld_conv(&b, "conv_out", x, c->latent_channels, PLD_CONV_3X3, beside(shortcut));
    pld_scope_leave(&b, mark);
    pld_keep(&b, x);
    values->out = x;
    return b.status;
}
