/* SPDX-License-Identifier: Apache-2.0 */
#include "models/kl/kl.h"

#include <stdio.h>

#include "models/blocks/resnet.h"

static const double norm_epsilon = 1e-6;

static pld_value_id resnet(pld_builder *b, const pld_kl_config *c, int64_t index, pld_value_id x,
                           int64_t channels) {
    const pld_resnet_options options = {c->groups, norm_epsilon, PLD_NO_VALUE, true};
    size_t mark = pld_scope_enter(b, "resnets.%d", (int)index);
    x = pld_resnet_block(b, &options, x, channels);
    pld_scope_leave(b, mark);
    return x;
}

/** Names of the attention's layers: diffusers' present ones, and those of files saved before 0.16. */
typedef struct attention_names {
    const char *query, *key, *value, *out;
} attention_names;

static attention_names names_in_file(const pld_builder *b) {
    char name[PLD_PLAN_NAME + 32];
    snprintf(name, sizeof name, "%s.query.weight", b->scope);
    bool old = pld_parameters_has(b->plan->parameters, name);
    return old ? (attention_names){"query", "key", "value", "proj_attn"}
               : (attention_names){"to_q", "to_k", "to_v", "to_out.0"};
}

/** x + to_out(attention(norm(x))) with one head over all pixels. */
static pld_value_id mid_attention(pld_builder *b, const pld_kl_config *c, pld_value_id x) {
    const int64_t width = c->widths[c->levels - 1];
    size_t mark = pld_scope_enter(b, "attentions.0");
    const attention_names names = names_in_file(b);
    pld_value_id normed = pld_group_norm_of(b, "group_norm", x, c->groups, norm_epsilon, false);
    pld_value_id query = pld_linear(b, names.query, normed, width, PLD_BIAS);
    pld_value_id key = pld_linear(b, names.key, normed, width, PLD_BIAS);
    pld_value_id value = pld_linear(b, names.value, normed, width, PLD_BIAS);
    pld_value_id out = pld_attend(b, pld_self_attention(query, key, value, 1));
    x = pld_linear(b, names.out, out, width, pld_plus(x));
    pld_scope_leave(b, mark);
    return x;
}

static pld_value_id mid_block(pld_builder *b, const pld_kl_config *c, pld_value_id x) {
    const int64_t width = c->widths[c->levels - 1];
    size_t mark = pld_scope_enter(b, "mid_block");
    x = resnet(b, c, 0, x, width);
    if (c->mid_attention) {
        x = mid_attention(b, c, x);
    }
    x = resnet(b, c, 1, x, width);
    pld_scope_leave(b, mark);
    return x;
}

static pld_value_id up_block(pld_builder *b, const pld_kl_config *c, int64_t index, pld_value_id x) {
    const int64_t width = c->widths[c->levels - 1 - index];
    size_t mark = pld_scope_enter(b, "up_blocks.%d", (int)index);
    for (int64_t i = 0; i <= c->layers; i++) {
        x = resnet(b, c, i, x, width);
    }
    if (index + 1 < c->levels && b->status == PLD_OK) {
        const pld_value value = b->plan->values[x];
        pld_product_options around = PLD_BIAS;
        around.height = 2 * value.height;
        around.width = 2 * value.width;
        x = pld_conv(b, "upsamplers.0.conv", x, width, PLD_CONV_3X3, around);
    }
    pld_scope_leave(b, mark);
    return x;
}

/** conv_out(silu(norm(x))) */
static pld_value_id conv_out(pld_builder *b, const pld_kl_config *c, pld_value_id x, int64_t channels) {
    pld_product_options around = PLD_BIAS;
    around.factors = pld_group_norm_factors(b, "conv_norm_out", x, c->groups, norm_epsilon);
    return pld_conv(b, "conv_out", x, channels, PLD_CONV_3X3, around);
}

pld_status pld_kl_decoder_build(pld_plan *plan, const void *config, int64_t batch, int64_t height,
                                int64_t width, pld_autoencoder_values *values, pld_error *error) {
    const pld_kl_config *c = config;
    pld_builder b;
    pld_builder_init(&b, plan, error);
    plan->name = "vae_decoder";
    pld_value_id x = values->in = pld_input(&b, batch, height, width, pld_kl_channels(c));
    if (c->patch > 1) {
        x = pld_unpatchify(&b, x, c->latent_channels, (int)c->patch, false);
    }
    if (c->post_quant_conv) {
        x = pld_linear(&b, "post_quant_conv", x, c->latent_channels, PLD_BIAS);
    }
    size_t mark = pld_scope_enter(&b, "decoder");
    x = pld_conv(&b, "conv_in", x, c->widths[c->levels - 1], PLD_CONV_3X3, PLD_BIAS);
    x = mid_block(&b, c, x);
    for (int64_t index = 0; index < c->levels; index++) {
        x = up_block(&b, c, index, x);
    }
    x = conv_out(&b, c, x, c->out_channels);
    pld_scope_leave(&b, mark);
    pld_keep(&b, x);
    values->out = x;
    return b.status;
}

static pld_value_id down_block(pld_builder *b, const pld_kl_config *c, int64_t index, pld_value_id x) {
    const int64_t width = c->widths[index];
    size_t mark = pld_scope_enter(b, "down_blocks.%d", (int)index);
    for (int64_t i = 0; i < c->layers; i++) {
        x = resnet(b, c, i, x, width);
    }
    if (index + 1 < c->levels) {
        /* unlike the U-Net's, it pads below and on the right only */
        x = pld_conv(b, "downsamplers.0.conv", x, width, (pld_conv_geometry){3, 2, 0, 1}, PLD_BIAS);
    }
    pld_scope_leave(b, mark);
    return x;
}

pld_status pld_kl_encoder_build(pld_plan *plan, const void *config, int64_t batch, int64_t height,
                                int64_t width, pld_autoencoder_values *values, pld_error *error) {
    const pld_kl_config *c = config;
    pld_builder b;
    pld_builder_init(&b, plan, error);
    plan->name = "vae_encoder";
    pld_value_id x = values->in = pld_input(&b, batch, height, width, c->in_channels);
    size_t mark = pld_scope_enter(&b, "encoder");
    x = pld_conv(&b, "conv_in", x, c->widths[0], PLD_CONV_3X3, PLD_BIAS);
    for (int64_t index = 0; index < c->levels; index++) {
        x = down_block(&b, c, index, x);
    }
    x = mid_block(&b, c, x);
    x = conv_out(&b, c, x, 2 * c->latent_channels);
    pld_scope_leave(&b, mark);
    if (c->quant_conv) {
        x = pld_linear(&b, "quant_conv", x, 2 * c->latent_channels, PLD_BIAS);
    }
    if (c->patch > 1) { /* of latents in patches the mean alone is taken */
        pld_tap(&b, "moments", x);
        x = pld_patchify(&b, pld_take_channels(&b, x, 0, c->latent_channels), (int)c->patch);
    }
    pld_keep(&b, x);
    values->out = x;
    return b.status;
}
