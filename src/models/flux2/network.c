/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "models/blocks/joint.h"
#include "models/flux2/flux2.h"

/** What the blocks share. */
typedef struct flux2_builder {
    pld_joint j;
    const pld_flux2_config *c;
    pld_value_id by_both; /* [B, 1, parts·width]: the modulation of every single block */
} flux2_builder;

/** Layer NAME.linear of the embedding of time, under a tap of the module's name. */
static pld_value_id modulation(flux2_builder *p, const char *name, int parts) {
    pld_builder *b = &p->j.b;
    size_t mark = pld_scope_enter(b, "%s", name);
    pld_value_id x = pld_joint_modulation(&p->j, "linear", parts);
    pld_scope_leave(b, mark);
    pld_tap(b, name, x);
    return x;
}

/** x += gate·linear_out(silu(a)·b), where (a, b) = linear_in(norm(x)). */
static void feed_forward(flux2_builder *p, const char *name, pld_value_id x, pld_value_id by) {
    pld_builder *b = &p->j.b;
    pld_value_id y = pld_joint_modulated(&p->j, x, by, PLD_JOINT_SCALE_MLP, PLD_JOINT_SHIFT_MLP);
    size_t mark = pld_scope_enter(b, "%s", name);
    y = pld_linear(b, "linear_in", y, p->c->mlp_width, pld_swiglu(PLD_NO_BIAS));
    pld_joint_add_gated(&p->j, "linear_out", y, x, by, PLD_JOINT_GATE_MLP);
    pld_scope_leave(b, mark);
}

/** Both streams through a block with weights of their own, which meet in its attention. */
static void double_block(flux2_builder *p, int64_t index, pld_joint_streams *s) {
    pld_builder *b = &p->j.b;
    size_t block = pld_scope_enter(b, "transformer_blocks.%d", (int)index);
    b->block_count++;
    pld_joint_attend_to_both(&p->j, s, false);
    p->by_both = pld_rows_like(b, p->by_both, s->text);
    feed_forward(p, "ff", s->image, s->by_image);
    feed_forward(p, "ff_context", s->text, s->by_text);
    pld_scope_leave(b, block);
    pld_joint_tap_streams(&p->j, index, s, false);
}

/** x += gate·to_out(attention(q, k, v), silu(a)·b), where (q, k, v, a, b) = to_qkv_mlp_proj(norm(x)), of the tokens of
 * both. */
static pld_value_id single_block(flux2_builder *p, int64_t index, pld_value_id x) {
    static const char fused[] = "to_qkv_mlp_proj";
    pld_joint *j = &p->j;
    pld_builder *b = &j->b;
    const int64_t width = j->width, all = 3 * width + 2 * p->c->mlp_width;
    char name[PLD_PLAN_NAME];
    snprintf(name, sizeof name, "single_transformer_blocks.%d", (int)index);
    size_t block = pld_scope_enter(b, "%s", name);
    b->block_count++;
    pld_value_id y = pld_joint_modulated(j, x, p->by_both, PLD_JOINT_SCALE, PLD_JOINT_SHIFT);
    size_t mark = pld_scope_enter(b, "attn");
    pld_value_id query = pld_linear(b, fused, y, width, pld_rows_of_weight(0, all));
    pld_value_id key = pld_linear(b, fused, y, width, pld_rows_of_weight(width, all));
    pld_joint_projections of = {pld_joint_prepare_heads(j, "norm_q", query, PLD_JOINT_BOTH),
                                pld_joint_prepare_heads(j, "norm_k", key, PLD_JOINT_BOTH),
                                pld_linear(b, fused, y, width, pld_rows_of_weight(2 * width, all))};
    pld_value_id out = pld_joint_attend(j, of);
    x = pld_rows_like(b, x, out);
    y = pld_rows_like(b, y, out);
    p->by_both = pld_rows_like(b, p->by_both, out);
    j->time = pld_rows_like(b, j->time, out);
    y = pld_linear(b, fused, y, p->c->mlp_width, pld_swiglu(pld_rows_of_weight(3 * width, all)));
    pld_joint_add_gated(j, "to_out", pld_concat(b, out, y), x, p->by_both, PLD_JOINT_GATE);
    pld_scope_leave(b, mark);
    pld_scope_leave(b, block);
    pld_tap(b, name, x);
    return x;
}

static pld_joint joint_of(const pld_flux2_config *c, const pld_denoiser_shape *shape) {
    return (pld_joint){
        .width = pld_flux2_width(c),
        .heads = c->heads,
        .text = shape->text_tokens,
        .rows = shape->height,
        .columns = shape->width,
        .norms_heads = true,
        .epsilon = c->epsilon,
        .places = {.theta = c->theta,
                   .axes = {(int32_t)c->axes[0], (int32_t)c->axes[1], (int32_t)c->axes[2],
                            (int32_t)c->axes[3]},
                   .axis_count = PLD_FLUX2_AXES,
                   .text_axis = PLD_FLUX2_AXES - 1},
    };
}

pld_status pld_flux2_build(pld_plan *plan, const void *config, const pld_denoiser_shape *shape,
                           pld_denoiser_values *values, pld_error *error) {
    const pld_flux2_config *c = config;
    flux2_builder p = {.j = joint_of(c, shape), .c = c};
    pld_builder *b = &p.j.b;
    pld_builder_init(b, plan, error);
    b->sharing = shape->sharing;
    plan->name = "transformer";
    values->sample = pld_input(b, shape->batch, shape->height, shape->width, c->channels);
    pld_joint_embed_time(&p.j, "time_guidance_embed", "timestep_embedder",
                         pld_timestep_scaled(b, shape->batch, c->sinusoids, 1000), c->guidance_embeds);
    /* The modulations of all blocks, which know nothing of the text or the picture. */
    pld_joint_streams s = {0};
    s.by_image = pld_rows_of_pictures(b, modulation(&p, "double_stream_modulation_img", PLD_JOINT_PARTS));
    s.by_text = modulation(&p, "double_stream_modulation_txt", PLD_JOINT_PARTS);
    p.by_both = modulation(&p, "single_stream_modulation", PLD_JOINT_ATTENTION_PARTS);
    s.image = pld_linear(b, "x_embedder", pld_rows_of_pictures(b, values->sample), p.j.width,
                         pld_at_an_end(PLD_NO_BIAS));
    pld_tap(b, "x_embedder", s.image);
    s.text = pld_take_outside(b, shape->batch, p.j.text, p.j.width);
    pld_tap(b, "context_embedder", s.text);
    for (int64_t i = 0; i < c->layers; i++) {
        double_block(&p, i, &s);
    }
    pld_value_id x = pld_joint_join(&p.j, s.image, s.text);
    for (int64_t i = 0; i < c->single_layers; i++) {
        x = single_block(&p, i, x);
    }
    values->output = pld_joint_output(&p.j, pld_joint_image_of(&p.j, x), c->channels);
    pld_keep(b, values->output);
    return b->status;
}
