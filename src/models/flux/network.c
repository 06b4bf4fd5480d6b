/* SPDX-License-Identifier: Apache-2.0 */
#include "models/blocks/joint.h"
#include "models/flux/flux.h"

static const double norm_epsilon = 1e-6;
static const double theta = 10000;

/** Both streams through a block with weights of their own, which meet in its attention. */
static void double_block(pld_joint *j, int64_t index, pld_joint_streams *s) {
    pld_builder *b = &j->b;
    size_t block = pld_scope_enter(b, "transformer_blocks.%d", (int)index);
    b->block_count++;
    s->by_image = pld_rows_of_pictures(b, pld_joint_modulation(j, "norm1.linear", PLD_JOINT_PARTS));
    s->by_text = pld_joint_modulation(j, "norm1_context.linear", PLD_JOINT_PARTS);
    pld_joint_attend_to_both(j, s, false);
    pld_joint_feed_forward(j, "ff", s->image, s->by_image);
    pld_joint_feed_forward(j, "ff_context", s->text, s->by_text);
    pld_scope_leave(b, block);
    pld_joint_tap_streams(j, index, s, false);
}

/** x += gate·proj_out(attention(y), gelu(proj_mlp(y))) for y = norm(x), of the tokens of both. */
static pld_value_id single_block(pld_joint *j, int64_t index, pld_value_id x) {
    pld_builder *b = &j->b;
    size_t block = pld_scope_enter(b, "single_transformer_blocks.%d", (int)index);
    b->block_count++;
    pld_value_id by = pld_joint_modulation(j, "norm.linear", PLD_JOINT_ATTENTION_PARTS);
    pld_value_id y = pld_joint_modulated(j, x, by, PLD_JOINT_SCALE, PLD_JOINT_SHIFT);
    size_t mark = pld_scope_enter(b, "attn");
    pld_value_id out = pld_joint_attend(j, pld_joint_project(j, y, PLD_JOINT_BOTH));
    pld_scope_leave(b, mark);
    x = pld_rows_like(b, x, out);
    y = pld_rows_like(b, y, out);
    by = pld_rows_like(b, by, out);
    j->time = pld_rows_like(b, j->time, out);
    y = pld_activate(b, pld_linear(b, "proj_mlp", y, j->mlp_width, PLD_BIAS), PLD_GELU_TANH);
    pld_joint_add_gated(j, "proj_out", pld_concat(b, out, y), x, by, PLD_JOINT_GATE);
    pld_scope_leave(b, block);
    return x;
}

/** Places of tokens: the first axis is 0 everywhere, and the text stands where the picture's first token does. */
static pld_joint joint_of(const pld_flux_config *c, const pld_denoiser_shape *shape) {
    const int64_t width = pld_flux_width(c);
    return (pld_joint){
        .width = width,
        .heads = c->heads,
        .text = shape->text_tokens,
        .rows = shape->height / PLD_FLUX_PATCH,
        .columns = shape->width / PLD_FLUX_PATCH,
        .bias = true,
        .norms_heads = true,
        .epsilon = norm_epsilon,
        .mlp_width = PLD_FLUX_MLP_RATIO * width,
        .places = {.theta = theta,
                   .axes = {(int32_t)c->axes[0], (int32_t)c->axes[1], (int32_t)c->axes[2]},
                   .axis_count = PLD_FLUX_AXES,
                   .text_axis = -1},
    };
}

pld_status pld_flux_build(pld_plan *plan, const void *config, const pld_denoiser_shape *shape,
                          pld_denoiser_values *values, pld_error *error) {
    const pld_flux_config *c = config;
    pld_joint j = joint_of(c, shape);
    pld_builder *b = &j.b;
    pld_builder_init(b, plan, error);
    b->sharing = shape->sharing;
    plan->name = "transformer";
    values->sample = pld_input(b, shape->batch, shape->height, shape->width, pld_flux_channels(c));
    pld_joint_embed_time(&j, "time_text_embed", "timestep_embedder",
                         pld_timestep_scaled(b, shape->batch, PLD_FLUX_SINUSOIDS, 1000), true);
    pld_joint_streams s = {0};
    s.image = pld_rows_of_pictures(b, pld_patchify(b, values->sample, PLD_FLUX_PATCH));
    s.image = pld_linear(b, "x_embedder", s.image, j.width, pld_at_an_end(PLD_BIAS));
    pld_tap(b, "x_embedder", s.image);
    s.text = pld_take_outside(b, shape->batch, j.text, j.width);
    pld_tap(b, "context_embedder", s.text);
    for (int64_t i = 0; i < c->layers; i++) {
        double_block(&j, i, &s);
    }
    pld_value_id x = pld_joint_join(&j, s.image, s.text);
    for (int64_t i = 0; i < c->single_layers; i++) {
        x = single_block(&j, i, x);
    }
    x = pld_joint_output(&j, pld_joint_image_of(&j, x), c->token_channels);
    values->output = pld_unpatchify(b, x, pld_flux_channels(c), PLD_FLUX_PATCH, false);
    pld_keep(b, values->output);
    return b->status;
}
