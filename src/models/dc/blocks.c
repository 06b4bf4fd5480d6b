/* SPDX-License-Identifier: Apache-2.0 */
/* The two kinds of blocks. Both end in an RMS norm that is added to what they began with. */
#include "models/dc/dc.h"

#include <stdio.h>

static const double norm_epsilon = 1e-5;

/** x += norm(change) */
static pld_value_id add_normed(pld_builder *b, const char *norm, pld_value_id change, pld_value_id x) {
    pld_rms_norm_options options = PLD_RMS_NORM;
    options.bias = true;
    options.into = x;
    return pld_rms_norm_with(b, norm, change, norm_epsilon, options);
}

/** x + norm(conv2(act(conv1(x)))) */
static pld_value_id residual_block(pld_builder *b, const pld_dc_level *level, pld_value_id x) {
    pld_value_id y = pld_conv(b, "conv1", x, level->width, PLD_CONV_3X3, PLD_BIAS);
    pld_product_options activated = PLD_NO_BIAS;
    activated.silu = level->activation == PLD_SILU;
    if (!activated.silu) {
        y = pld_activate(b, y, level->activation);
    }
    y = pld_conv(b, "conv2", y, level->width, PLD_CONV_3X3, activated);
    return add_normed(b, "norm", y, x);
}

/** Queries, keys and values of every head as convolutions see them: a filter for each channel, then a matrix for each
 * query, key or value of a head. */
static pld_value_id at_scale(pld_builder *b, int64_t scale, int64_t side, int64_t heads, pld_value_id qkv,
                             int64_t width) {
    pld_product_options groups = PLD_NO_BIAS;
    groups.groups = 3 * heads;
    size_t mark = pld_scope_enter(b, "to_qkv_multiscale.%d", (int)scale);
    pld_value_id x = pld_depthwise_plain(b, "proj_in", qkv, side);
    x = pld_linear(b, "proj_out", x, 3 * width, groups);
    pld_scope_leave(b, mark);
    return x;
}

/** x + norm_out(to_out(linear attention)). What to_q, to_k and to_v give is read as one row of heads, each with its query,
 * key and value. */
static pld_value_id multiscale_attention(pld_builder *b, const pld_dc_config *c, const pld_dc_level *level,
                                         pld_value_id x) {
    const int64_t width = level->width, heads = width / c->head_size;
    size_t mark = pld_scope_enter(b, "attn");
    const pld_value_id query = pld_linear(b, "to_q", x, width, PLD_NO_BIAS);
    const pld_value_id key = pld_linear(b, "to_k", x, width, PLD_NO_BIAS);
    const pld_value_id value = pld_linear(b, "to_v", x, width, PLD_NO_BIAS);
    const pld_value_id qkv = pld_concat(b, pld_concat(b, query, key), value);
    pld_value_id all = qkv;
    for (int64_t i = 0; i < level->scale_count; i++) {
        all = pld_concat(b, all, at_scale(b, i, level->scales[i], heads, qkv, width));
    }
    pld_value_id out = pld_attend(b, pld_linear_interleaved_attention(all, heads * (1 + level->scale_count)));
    out = pld_linear(b, "to_out", out, width, PLD_NO_BIAS);
    x = add_normed(b, "norm_out", out, x);
    pld_scope_leave(b, mark);
    return x;
}

/** x + norm(conv_point(gated depthwise of silu(conv_inverted(x)))): the mixed feed-forward of SANA (Xie et al. 2024, arXiv
 * 2410.10629). */
static pld_value_id feed_forward(pld_builder *b, const pld_dc_level *level, pld_value_id x) {
    size_t mark = pld_scope_enter(b, "conv_out");
    pld_value_id y = pld_linear(b, "conv_inverted", x, 8 * level->width, PLD_BIAS);
    y = pld_activate(b, y, PLD_SILU);
    y = pld_depthwise_conv(b, "conv_depth", y, true);
    y = pld_linear(b, "conv_point", y, level->width, PLD_NO_BIAS);
    x = add_normed(b, "norm", y, x);
    pld_scope_leave(b, mark);
    return x;
}

pld_value_id pld_dc_block(pld_builder *b, const pld_dc_config *config, const pld_dc_level *level,
                          int64_t index, pld_value_id x) {
    size_t mark = pld_scope_enter(b, "%d", (int)index);
    if (level->attends) {
        x = multiscale_attention(b, config, level, x);
        x = feed_forward(b, level, x);
    } else {
        x = residual_block(b, level, x);
    }
    pld_scope_leave(b, mark);
    return x;
}
