/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "models/cosmos/cosmos.h"

static const double norm_epsilon = 1e-6;

/** Thirds of a modulation. */
enum { SHIFT, SCALE, GATE, THIRDS };

/** What the blocks share. */
typedef struct cosmos_builder {
    pld_builder b;
    const pld_cosmos_config *c;
    pld_value_id sinusoids; /* [B, 1, width]: of the timestep, normed, SiLU after it */
    pld_value_id time;      /* [B, 1, 3·width], to which each modulation adds its own */
} cosmos_builder;

static pld_slice third_of(const cosmos_builder *p, pld_value_id modulation, int third) {
    return (pld_slice){modulation, third * pld_cosmos_width(p->c)};
}

/** Both forms in which the timestep reaches the blocks. */
static void time_embedding(cosmos_builder *p, int64_t batch) {
    pld_builder *b = &p->b;
    const int64_t width = pld_cosmos_width(p->c);
    size_t outer = pld_scope_enter(b, "time_embed");
    pld_value_id sinusoids = pld_timestep(b, batch, width, true, 0);
    size_t mark = pld_scope_enter(b, "t_embedder");
    pld_value_id x = pld_activate(b, pld_linear(b, "linear_1", sinusoids, width, PLD_NO_BIAS), PLD_SILU);
    p->time = pld_linear(b, "linear_2", x, THIRDS * width, PLD_NO_BIAS);
    pld_scope_leave(b, mark);
    x = pld_rms_norm(b, "norm", sinusoids, norm_epsilon);
    pld_scope_leave(b, outer);
    pld_tap(b, "time_embed", p->time);
    pld_tap(b, "time_embed.out1", x);
    p->sinusoids = pld_activate(b, x, PLD_SILU);
}

/** [B, 1, channels] of the timestep by the low-rank layer NAME, plus the first of `time` [B, 1, channels]. */
static pld_value_id modulation(cosmos_builder *p, const char *name, int64_t channels, pld_value_id time) {
    pld_builder *b = &p->b;
    size_t mark = pld_scope_enter(b, "%s", name);
    pld_value_id x = pld_linear(b, "linear_1", p->sinusoids, p->c->rank, PLD_NO_BIAS);
    x = pld_linear(b, "linear_2", x, channels, pld_with_bias(pld_plus(time), false));
    pld_scope_leave(b, mark);
    return x;
}

static pld_value_id modulation_of_block(cosmos_builder *p, const char *name) {
    return modulation(p, name, THIRDS * pld_cosmos_width(p->c), p->time);
}

/** norm(x)·(1 + scale) + shift */
static pld_value_id modulated(cosmos_builder *p, pld_value_id x, pld_value_id by) {
    return pld_layer_norm_modulated(&p->b, x, norm_epsilon, third_of(p, by, SCALE), third_of(p, by, SHIFT));
}

/** x += gate·NAME(y), for a layer of y without bias. */
static void add_gated(cosmos_builder *p, const char *name, pld_value_id y, pld_value_id x, pld_value_id by) {
    pld_linear(&p->b, name, y, pld_cosmos_width(p->c),
               pld_with_bias(pld_gated_into(x, third_of(p, by, GATE)), false));
}

/** x += gate·to_out(attention(y)) over the tokens. */
static pld_value_id self_attention(cosmos_builder *p, pld_value_id x) {
    pld_builder *b = &p->b;
    const int64_t width = pld_cosmos_width(p->c);
    pld_value_id by = modulation_of_block(p, "norm1");
    pld_value_id y = modulated(p, x, by);
    size_t mark = pld_scope_enter(b, "attn1");
    pld_value_id query = pld_cosmos_rotate(b, p->c, "norm_q", pld_linear(b, "to_q", y, width, PLD_NO_BIAS));
    pld_value_id key = pld_cosmos_rotate(b, p->c, "norm_k", pld_linear(b, "to_k", y, width, PLD_NO_BIAS));
    pld_value_id value = pld_linear(b, "to_v", y, width, PLD_NO_BIAS);
    pld_value_id out = pld_attend(b, pld_self_attention(query, key, value, p->c->heads));
    x = pld_rows_like(b, x, out);
    add_gated(p, "to_out.0", out, x, by);
    pld_scope_leave(b, mark);
    return x;
}

/** x += gate·to_out(attention(y, text)): where PLADIS acts. Keys and values come with the run. Like them the query is float32
 * in every run, because PLADIS magnifies errors of the logits. */
static pld_value_id cross_attention(cosmos_builder *p, pld_value_id x) {
    pld_builder *b = &p->b;
    pld_value_id by = modulation_of_block(p, "norm2");
    pld_value_id y = modulated(p, x, by);
    size_t mark = pld_scope_enter(b, "attn2");
    pld_value_id query = pld_cosmos_norm_heads(
        b, p->c, "norm_q", pld_linear(b, "to_q", y, pld_cosmos_width(p->c), pld_in_f32(false)));
    pld_value_id out = pld_attend(b, pld_cross_attention(query, p->c->heads));
    x = pld_rows_like(b, x, out);
    add_gated(p, "to_out.0", out, x, by);
    pld_scope_leave(b, mark);
    return x;
}

/** x += gate·net.2(gelu(net.0(y))) */
static void feed_forward(cosmos_builder *p, pld_value_id x) {
    pld_builder *b = &p->b;
    pld_value_id by = modulation_of_block(p, "norm3");
    pld_value_id y = modulated(p, x, by);
    size_t mark = pld_scope_enter(b, "ff");
    pld_value_id hidden = pld_linear(b, "net.0.proj", y, p->c->hidden, PLD_NO_BIAS);
    add_gated(p, "net.2", pld_activate(b, hidden, PLD_GELU), x, by);
    pld_scope_leave(b, mark);
}

static pld_value_id transformer_block(cosmos_builder *p, int64_t index, pld_value_id x) {
    pld_builder *b = &p->b;
    char name[PLD_PLAN_NAME];
    snprintf(name, sizeof name, "transformer_blocks.%d", (int)index);
    size_t mark = pld_scope_enter(b, "%s", name);
    b->block_count = (int)index + 1;
    x = self_attention(p, x);
    x = cross_attention(p, x);
    feed_forward(p, x);
    pld_scope_leave(b, mark);
    pld_tap(b, name, x);
    return x;
}

/** Patches of the sample and of the padding mask, which is zero, as tokens. */
static pld_value_id patch_embedding(cosmos_builder *p, pld_value_id sample) {
    pld_builder *b = &p->b;
    pld_value_id x = pld_patchify(b, pld_zero_channels(b, sample, 1), (int)p->c->patch);
    x = pld_linear(b, "patch_embed.proj", x, pld_cosmos_width(p->c), pld_at_an_end(PLD_NO_BIAS));
    pld_tap(b, "patch_embed", x);
    return x;
}

/** The last norm and the way back to pixels of latents. */
static pld_value_id output_of(cosmos_builder *p, pld_value_id x) {
    pld_builder *b = &p->b;
    const pld_cosmos_config *c = p->c;
    const int64_t channels = GATE * pld_cosmos_width(c); /* there is no gate */
    pld_value_id time = pld_take(b, p->time, 0, 1, 1, channels);
    x = modulated(p, x, modulation(p, "norm_out", channels, time));
    x = pld_linear(b, "proj_out", x, c->patch * c->patch * c->out_channels, pld_at_an_end(PLD_NO_BIAS));
    return pld_unpatchify(b, x, c->out_channels, (int)c->patch, true);
}

pld_status pld_cosmos_build(pld_plan *plan, const void *config, const pld_denoiser_shape *shape,
                            pld_denoiser_values *values, pld_error *error) {
    const pld_cosmos_config *c = config;
    cosmos_builder p = {.c = c};
    pld_builder *b = &p.b;
    pld_builder_init(b, plan, error);
    b->sharing = shape->sharing;
    plan->name = "transformer";
    values->sample = pld_input(b, shape->batch, shape->height, shape->width, c->channels);
    time_embedding(&p, shape->batch);
    pld_value_id x = patch_embedding(&p, values->sample);
    for (int64_t i = 0; i < c->layers; i++) {
        x = transformer_block(&p, i, x);
    }
    x = output_of(&p, x);
    pld_keep(b, x);
    values->output = x;
    return b->status;
}
