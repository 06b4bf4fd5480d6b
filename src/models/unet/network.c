/* SPDX-License-Identifier: Apache-2.0 */

#include "models/unet/unet.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "models/blocks/resnet.h"
#include "models/unet/transformer.h"

enum { MAX_SKIPS = PLD_UNET_MAX_LEVELS * 17 + 1 };

/** What the blocks hand to each other. */
typedef struct unet_builder {
    pld_builder b;
    const pld_unet_config *config;
    pld_value_id time;             /* SiLU of the time embedding [B, 1, 4·widths[0]] */
    pld_value_id skips[MAX_SKIPS]; /* outputs of the down path, last in first out */
    int skip_count;
} unet_builder;

/** Resnet `index` of a block. */
static pld_value_id resnet(unet_builder *u, int64_t index, pld_value_id x, int64_t channels) {
    u->time = pld_rows_like(&u->b, u->time, x);
    const pld_resnet_options options = {u->config->groups, u->config->epsilon, u->time, false};
    size_t mark = pld_scope_enter(&u->b, "resnets.%d", (int)index);
    x = pld_resnet_block(&u->b, &options, x, channels);
    pld_scope_leave(&u->b, mark);
    return x;
}

static void push_skip(unet_builder *u, pld_value_id x) {
    if (u->skip_count < MAX_SKIPS) {
        u->skips[u->skip_count++] = x;
    }
}

/** Embedding of the timesteps, through two linear layers; SiLU once for all resnets. */
static void time_embedding(unet_builder *u, int64_t batch) {
    pld_builder *b = &u->b;
    const int64_t width = u->config->widths[0];
    pld_value_id t = pld_timestep(b, batch, width, u->config->flip_sin_to_cos, u->config->frequency_shift);
    size_t mark = pld_scope_enter(b, "time_embedding");
    t = pld_activate(b, pld_linear(b, "linear_1", t, 4 * width, PLD_BIAS), PLD_SILU);
    t = pld_linear(b, "linear_2", t, 4 * width, PLD_BIAS);
    pld_scope_leave(b, mark);
    pld_tap(b, "time_embedding", t);
    if (u->config->pooled_width) {
        pld_add_outside(b, t);
    }
    u->time = pld_activate(b, t, PLD_SILU);
}

static void tap_block(pld_builder *b, const char *kind, int64_t level, pld_value_id x) {
    char name[32];
    snprintf(name, sizeof name, "%s.%d", kind, (int)level);
    pld_tap(b, name, x);
}

/** The attention of layer `layer` of a block at `level`. */
static pld_value_id block_attention(unet_builder *u, int64_t level, int64_t layer, pld_value_id x) {
    size_t mark = pld_scope_enter(&u->b, "attentions.%d", (int)layer);
    const pld_transformer_options options = {(int)u->config->heads[level], u->config->depths[level],
                                             u->config->groups, u->config->linear_projection};
    x = pld_transformer_2d(&u->b, &options, x);
    pld_scope_leave(&u->b, mark);
    return x;
}

static pld_value_id down_block(unet_builder *u, int64_t level, pld_value_id x) {
    pld_builder *b = &u->b;
    const pld_unet_config *c = u->config;
    size_t block = pld_scope_enter(b, "down_blocks.%d", (int)level);
    for (int64_t i = 0; i < c->layers[level]; i++) {
        x = resnet(u, i, x, c->widths[level]);
        if (c->down_attention[level]) {
            x = block_attention(u, level, i, x);
        }
        push_skip(u, x);
    }
    if (level + 1 < c->levels) {
        x = pld_conv(b, "downsamplers.0.conv", x, c->widths[level], (pld_conv_geometry){3, 2, 1, 1},
                     PLD_BIAS);
        push_skip(u, x);
    }
    pld_scope_leave(b, block);
    tap_block(b, "down_blocks", level, x);
    return x;
}

static pld_value_id mid_block(unet_builder *u, pld_value_id x) {
    pld_builder *b = &u->b;
    const int64_t last = u->config->levels - 1;
    if (u->config->mid == PLD_UNET_MID_NONE) {
        return x;
    }
    size_t block = pld_scope_enter(b, "mid_block");
    x = resnet(u, 0, x, u->config->widths[last]);
    if (u->config->mid == PLD_UNET_MID_ATTENDS) {
        x = block_attention(u, last, 0, x);
        x = resnet(u, 1, x, u->config->widths[last]);
    }
    pld_scope_leave(b, block);
    pld_tap(b, "mid_block", x);
    return x;
}

/** Up block `index`, counted from the coarsest; it has one layer more than the down block of its level. */
static pld_value_id up_block(unet_builder *u, int64_t index, pld_value_id x) {
    pld_builder *b = &u->b;
    const pld_unet_config *c = u->config;
    const int64_t level = c->levels - 1 - index;
    size_t block = pld_scope_enter(b, "up_blocks.%d", (int)index);
    for (int64_t i = 0; i <= c->layers[level] && u->skip_count > 0; i++) {
        pld_value_id skip = pld_rows_like(b, u->skips[--u->skip_count], x);
        if (index < 2) { /* FreeU's two stages */
            pld_freeu(b, x, skip, (int)index);
        }
        x = resnet(u, i, pld_concat(b, x, skip), c->widths[level]);
        if (c->up_attention[index]) {
            x = block_attention(u, level, i, x);
        }
    }
    if (index + 1 < c->levels && b->status == PLD_OK && u->skip_count > 0) {
        /* to the size of the next skip: odd sizes are halved rounding up */
        const pld_value *next = &b->plan->values[u->skips[u->skip_count - 1]];
        pld_product_options around = PLD_BIAS;
        around.height = next->height;
        around.width = next->width;
        x = pld_conv(b, "upsamplers.0.conv", x, c->widths[level], PLD_CONV_3X3, around);
    }
    pld_scope_leave(b, block);
    tap_block(b, "up_blocks", index, x);
    return x;
}

pld_status pld_unet_build(pld_plan *plan, const void *config, const pld_denoiser_shape *shape,
                          pld_denoiser_values *values, pld_error *error) {
    const pld_unet_config *c = config;
    unet_builder u = {.config = c};
    pld_builder *b = &u.b;
    pld_builder_init(b, plan, error);
    b->sharing = shape->sharing;
    plan->name = "unet";
    values->sample = pld_input(b, shape->batch, shape->height, shape->width, c->in_channels);
    time_embedding(&u, shape->batch);
    pld_value_id x =
        pld_conv(b, "conv_in", values->sample, c->widths[0], PLD_CONV_3X3, pld_at_an_end(PLD_BIAS));
    pld_tap(b, "conv_in", x);
    push_skip(&u, x);
    for (int64_t level = 0; level < c->levels; level++) {
        x = down_block(&u, level, x);
    }
    x = mid_block(&u, x);
    for (int64_t index = 0; index < c->levels; index++) {
        x = up_block(&u, index, x);
    }
    x = pld_group_norm_of(b, "conv_norm_out", x, c->groups, c->epsilon, true);
    x = pld_conv(b, "conv_out", x, c->out_channels, PLD_CONV_3X3, pld_at_an_end(PLD_BIAS));
    pld_tap(b, "output", x);
    pld_keep(b, x);
    values->output = x;
    return b->status;
}
