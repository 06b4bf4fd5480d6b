/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "models/blocks/positions.h"
#include "models/pixart/pixart.h"

static const double last_norm_epsilon = 1e-6;

/** Rows of a block's table of modulation. */
enum { SHIFT_ATTENTION, SCALE_ATTENTION, GATE_ATTENTION, SHIFT_MLP, SCALE_MLP, GATE_MLP, BLOCK_ROWS };

/** What the blocks share. */
typedef struct pixart_builder {
    pld_builder b;
    const pld_pixart_config *c;
    pld_value_id time;       /* [B, 1, width]: embedding of the timestep and the sizes */
    pld_value_id modulation; /* [B, 1, 6·width], to which each block adds its table */
} pixart_builder;

static pld_slice row_of(const pixart_builder *p, pld_value_id table, int row) {
    return (pld_slice){table, row * pld_pixart_width(p->c)};
}

static void time_embedding(pixart_builder *p, int64_t batch) {
    pld_builder *b = &p->b;
    const int64_t width = pld_pixart_width(p->c);
    size_t outer = pld_scope_enter(b, "adaln_single");
    size_t mark = pld_scope_enter(b, "emb.timestep_embedder");
    pld_value_id x = pld_timestep(b, batch, PLD_PIXART_SINUSOIDS, true, 0);
    x = pld_activate(b, pld_linear(b, "linear_1", x, width, PLD_BIAS), PLD_SILU);
    p->time = pld_linear(b, "linear_2", x, width, PLD_BIAS);
    pld_scope_leave(b, mark);
    if (p->c->sizes) {
        pld_add_outside(b, p->time);
    }
    p->modulation = pld_linear(b, "linear", pld_activate(b, pld_copy(b, p->time), PLD_SILU),
                               BLOCK_ROWS * width, PLD_BIAS);
    pld_scope_leave(b, outer);
    pld_tap(b, "adaln_single", p->modulation);
}

/** x += gate·to_out(attention(y)) over the tokens, for y = norm(x)·(1 + scale) + shift. */
static pld_value_id self_attention(pixart_builder *p, pld_value_id table, pld_value_id x) {
    pld_builder *b = &p->b;
    const pld_pixart_config *c = p->c;
    const int64_t width = pld_pixart_width(c);
    pld_value_id y = pld_layer_norm_modulated(b, x, c->epsilon, row_of(p, table, SCALE_ATTENTION),
                                              row_of(p, table, SHIFT_ATTENTION));
    size_t mark = pld_scope_enter(b, "attn1");
    const pld_product_options bias = pld_with_bias(PLD_BIAS, c->attention_bias);
    pld_value_id query = pld_linear(b, "to_q", y, width, bias);
    pld_value_id key = pld_linear(b, "to_k", y, width, bias);
    pld_value_id value = pld_linear(b, "to_v", y, width, bias);
    pld_value_id out = pld_attend(b, pld_self_attention(query, key, value, c->heads));
    x = pld_rows_like(b, x, out);
    pld_linear(b, "to_out.0", out, width, pld_gated_into(x, row_of(p, table, GATE_ATTENTION)));
    pld_scope_leave(b, mark);
    return x;
}

/** x += to_out(attention(x, text)): where PLADIS acts. Keys and values come with the run. Like them the query is float32 in
 * every run, because PLADIS magnifies errors of the logits. */
static pld_value_id cross_attention(pixart_builder *p, pld_value_id x) {
    pld_builder *b = &p->b;
    size_t mark = pld_scope_enter(b, "attn2");
    pld_value_id query = pld_linear(b, "to_q", x, pld_pixart_width(p->c), pld_in_f32(p->c->attention_bias));
    pld_value_id out = pld_attend(b, pld_cross_attention(query, p->c->heads));
    x = pld_rows_like(b, x, out);
    pld_linear(b, "to_out.0", out, pld_pixart_width(p->c), pld_into(x, true));
    pld_scope_leave(b, mark);
    return x;
}

/** x += gate·net.2(gelu(net.0(y))), for y = norm(x)·(1 + scale) + shift. */
static void feed_forward(pixart_builder *p, pld_value_id table, pld_value_id x) {
    pld_builder *b = &p->b;
    pld_value_id y = pld_layer_norm_modulated(b, x, p->c->epsilon, row_of(p, table, SCALE_MLP),
                                              row_of(p, table, SHIFT_MLP));
    size_t mark = pld_scope_enter(b, "ff");
    pld_value_id hidden = pld_linear(b, "net.0.proj", y, 4 * pld_pixart_width(p->c), PLD_BIAS);
    pld_linear(b, "net.2", pld_activate(b, hidden, PLD_GELU_TANH), pld_pixart_width(p->c),
               pld_gated_into(x, row_of(p, table, GATE_MLP)));
    pld_scope_leave(b, mark);
}

static pld_value_id transformer_block(pixart_builder *p, int64_t index, pld_value_id x) {
    pld_builder *b = &p->b;
    char name[PLD_PLAN_NAME];
    snprintf(name, sizeof name, "transformer_blocks.%d", (int)index);
    size_t mark = pld_scope_enter(b, "%s", name);
    b->block_count = (int)index + 1;
    pld_value_id table =
        pld_add_table(b, "scale_shift_table", p->modulation, BLOCK_ROWS, pld_pixart_width(p->c));
    x = self_attention(p, table, x);
    x = cross_attention(p, x);
    feed_forward(p, table, x);
    pld_scope_leave(b, mark);
    pld_tap(b, name, x);
    return x;
}

/** The last norm, with a table of its own of shift and scale, and the way back to pixels of latents. */
static pld_value_id output_of(pixart_builder *p, pld_value_id x) {
    pld_builder *b = &p->b;
    const pld_pixart_config *c = p->c;
    pld_value_id table = pld_add_table(b, "scale_shift_table", p->time, 2, pld_pixart_width(c));
    x = pld_layer_norm_modulated(b, x, last_norm_epsilon, row_of(p, table, 1), row_of(p, table, 0));
    x = pld_linear(b, "proj_out", x, c->patch * c->patch * c->out_channels, pld_at_an_end(PLD_BIAS));
    return pld_unpatchify(b, x, c->out_channels, (int)c->patch, true);
}

pld_status pld_pixart_build(pld_plan *plan, const void *config, const pld_denoiser_shape *shape,
                            pld_denoiser_values *values, pld_error *error) {
    const pld_pixart_config *c = config;
    pixart_builder p = {.c = c};
    pld_builder *b = &p.b;
    pld_builder_init(b, plan, error);
    b->sharing = shape->sharing;
    plan->name = "transformer";
    values->sample = pld_input(b, shape->batch, shape->height, shape->width, c->channels);
    time_embedding(&p, shape->batch);
    pld_value_id x = pld_patch_embed(b, "pos_embed.proj", values->sample, pld_pixart_width(c), (int)c->patch);
    x = pld_add_grid_positions(b, x, c->sample_size / c->patch, (double)c->interpolation_scale);
    pld_tap(b, "pos_embed", x);
    for (int64_t i = 0; i < c->layers; i++) {
        x = transformer_block(&p, i, x);
    }
    x = output_of(&p, x);
    pld_tap(b, "output", x);
    pld_keep(b, x);
    values->output = x;
    return b->status;
}
