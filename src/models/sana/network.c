/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "models/blocks/positions.h"
#include "models/sana/sana.h"

static const double last_norm_epsilon = 1e-6;

/** Rows of a block's table of modulation. */
enum { SHIFT_ATTENTION, SCALE_ATTENTION, GATE_ATTENTION, SHIFT_MLP, SCALE_MLP, GATE_MLP, BLOCK_ROWS };

/** What the blocks share. */
typedef struct sana_builder {
    pld_builder b;
    const pld_sana_config *c;
    int64_t width;
    pld_value_id time;       /* [B, 1, width]: embedding of the timestep and the guidance scale */
    pld_value_id modulation; /* [B, 1, 6·width], to which each block adds its table */
} sana_builder;

static pld_slice row_of(const sana_builder *p, pld_value_id table, int row) {
    return (pld_slice){table, row * p->width};
}

static void time_embedding(sana_builder *p, int64_t batch) {
    pld_builder *b = &p->b;
    size_t outer = pld_scope_enter(b, "time_embed");
    size_t mark =
        pld_scope_enter(b, "%s", p->c->guidance_embeds ? "timestep_embedder" : "emb.timestep_embedder");
    pld_value_id x = pld_timestep(b, batch, PLD_SANA_SINUSOIDS, true, 0);
    x = pld_activate(b, pld_linear(b, "linear_1", x, p->width, PLD_BIAS), PLD_SILU);
    p->time = pld_linear(b, "linear_2", x, p->width, PLD_BIAS);
    pld_scope_leave(b, mark);
    if (p->c->guidance_embeds) {
        pld_add_outside(b, p->time);
    }
    p->modulation = pld_linear(b, "linear", pld_activate(b, pld_copy(b, p->time), PLD_SILU),
                               BLOCK_ROWS * p->width, PLD_BIAS);
    pld_scope_leave(b, outer);
    pld_tap(b, "time_embed", p->modulation);
}

/** x += gate·to_out(linear attention(y)) over the tokens, for y = norm(x)·(1 + scale) + shift. */
static pld_value_id self_attention(sana_builder *p, pld_value_id table, pld_value_id x) {
    pld_builder *b = &p->b;
    const pld_sana_config *c = p->c;
    pld_value_id y = pld_layer_norm_modulated(b, x, c->epsilon, row_of(p, table, SCALE_ATTENTION),
                                              row_of(p, table, SHIFT_ATTENTION));
    size_t mark = pld_scope_enter(b, "attn1");
    const pld_product_options bias = pld_with_bias(PLD_BIAS, c->attention_bias);
    pld_value_id query = pld_linear(b, "to_q", y, p->width, bias);
    pld_value_id key = pld_linear(b, "to_k", y, p->width, bias);
    pld_value_id value = pld_linear(b, "to_v", y, p->width, bias);
    query = pld_sana_qk_norm(b, c, "norm_q", query, c->heads);
    key = pld_sana_qk_norm(b, c, "norm_k", key, c->heads);
    pld_value_id out = pld_attend(b, pld_linear_self_attention(query, key, value, c->heads));
    x = pld_rows_like(b, x, out);
    pld_linear(b, "to_out.0", out, p->width, pld_gated_into(x, row_of(p, table, GATE_ATTENTION)));
    pld_scope_leave(b, mark);
    return x;
}

/** x += to_out(attention(x, text)): where PLADIS acts. Keys and values come with the run. Like them the query is float32 in
 * every run, because PLADIS magnifies errors of the logits. */
static pld_value_id cross_attention(sana_builder *p, pld_value_id x) {
    pld_builder *b = &p->b;
    size_t mark = pld_scope_enter(b, "attn2");
    pld_value_id query = pld_linear(b, "to_q", x, p->width, pld_in_f32(true));
    query = pld_sana_qk_norm(b, p->c, "norm_q", query, p->c->cross_heads);
    pld_value_id out = pld_attend(b, pld_cross_attention(query, p->c->cross_heads));
    x = pld_rows_like(b, x, out);
    pld_linear(b, "to_out.0", out, p->width, pld_into(x, true));
    pld_scope_leave(b, mark);
    return x;
}

/** x += gate·conv_point(a·silu(b)), (a, b) = conv_depth(silu(conv_inverted(y))), for y = norm(x)·(1 + scale) + shift: the
 * mixed feed-forward, whose depthwise convolution is what lets tokens know where they are. */
static void feed_forward(sana_builder *p, pld_value_id table, pld_value_id x) {
    pld_builder *b = &p->b;
    const int64_t hidden = (int64_t)(p->c->mlp_ratio * (double)p->width);
    pld_value_id y = pld_layer_norm_modulated(b, x, p->c->epsilon, row_of(p, table, SCALE_MLP),
                                              row_of(p, table, SHIFT_MLP));
    size_t mark = pld_scope_enter(b, "ff");
    y = pld_activate(b, pld_linear(b, "conv_inverted", y, 2 * hidden, PLD_BIAS), PLD_SILU);
    y = pld_depthwise_conv(b, "conv_depth", y, true);
    pld_linear(b, "conv_point", y, p->width,
               pld_with_bias(pld_gated_into(x, row_of(p, table, GATE_MLP)), false));
    pld_scope_leave(b, mark);
}

static pld_value_id transformer_block(sana_builder *p, int64_t index, pld_value_id x) {
    pld_builder *b = &p->b;
    char name[PLD_PLAN_NAME];
    snprintf(name, sizeof name, "transformer_blocks.%d", (int)index);
    size_t mark = pld_scope_enter(b, "%s", name);
    b->block_count = (int)index + 1;
    pld_value_id table = pld_add_table(b, "scale_shift_table", p->modulation, BLOCK_ROWS, p->width);
    x = self_attention(p, table, x);
    x = cross_attention(p, x);
    feed_forward(p, table, x);
    pld_scope_leave(b, mark);
    pld_tap(b, name, x);
    return x;
}

/** The last norm, with a table of its own of shift and scale, and the way back to pixels of latents. */
static pld_value_id output_of(sana_builder *p, pld_value_id x) {
    pld_builder *b = &p->b;
    const pld_sana_config *c = p->c;
    pld_value_id table = pld_add_table(b, "scale_shift_table", p->time, 2, p->width);
    x = pld_layer_norm_modulated(b, x, last_norm_epsilon, row_of(p, table, 1), row_of(p, table, 0));
    pld_tap(b, "norm_out", x);
    x = pld_linear(b, "proj_out", x, c->patch * c->patch * c->out_channels, pld_at_an_end(PLD_BIAS));
    return pld_unpatchify(b, x, c->out_channels, (int)c->patch, true);
}

pld_status pld_sana_build(pld_plan *plan, const void *config, const pld_denoiser_shape *shape,
                          pld_denoiser_values *values, pld_error *error) {
    const pld_sana_config *c = config;
    sana_builder p = {.c = c, .width = pld_sana_width(c)};
    pld_builder *b = &p.b;
    pld_builder_init(b, plan, error);
    b->sharing = shape->sharing;
    plan->name = "transformer";
    values->sample = pld_input(b, shape->batch, shape->height, shape->width, c->channels);
    time_embedding(&p, shape->batch);
    pld_value_id x = pld_patch_embed(b, "patch_embed.proj", values->sample, p.width, (int)c->patch);
    if (c->interpolation_scale > 0) {
        x = pld_add_grid_positions(b, x, c->sample_size / c->patch, c->interpolation_scale);
    }
    pld_tap(b, "patch_embed", x);
    for (int64_t i = 0; i < c->layers; i++) {
        x = transformer_block(&p, i, x);
    }
    x = output_of(&p, x);
    pld_tap(b, "output", x);
    pld_keep(b, x);
    values->output = x;
    return b->status;
}
