/* SPDX-License-Identifier: Apache-2.0 */
#include "models/blocks/joint.h"
#include "models/sd3/sd3.h"

static const double norm_epsilon = 1e-6;

/** Parts of a block's modulation behind the others, in blocks with a second attention alone. */
enum { SHIFT_SECOND = PLD_JOINT_PARTS, SCALE_SECOND, GATE_SECOND, DUAL_PARTS };

/** The patches of the latents with their places, which are those in the middle of a stored square. */
static pld_value_id patches(pld_joint *j, const pld_sd3_config *c, pld_value_id sample) {
    pld_builder *b = &j->b;
    size_t mark = pld_scope_enter(b, "pos_embed");
    pld_value_id x = pld_patch_embed(b, "proj", pld_rows_of_pictures(b, sample), j->width, (int)c->patch);
    x = pld_add_middle(b, "pos_embed", x, c->places);
    pld_scope_leave(b, mark);
    pld_tap(b, "pos_embed", x);
    return x;
}

/** image += gate·to_out.0(attention(y)) of the picture's tokens alone. */
static void attend_to_image(pld_joint *j, pld_joint_streams *s, pld_value_id y) {
    pld_builder *b = &j->b;
    size_t mark = pld_scope_enter(b, "attn2");
    pld_joint_projections of = pld_joint_project(j, y, PLD_JOINT_IMAGE);
    pld_value_id out = pld_attend(b, pld_self_attention(of.query, of.key, of.value, j->heads));
    pld_value_id image_out = pld_rows_of_pictures(b, out);
    pld_joint_part_rows(j, s, out, image_out);
    pld_joint_add_gated(j, "to_out.0", image_out, s->image, s->by_image, GATE_SECOND);
    pld_scope_leave(b, mark);
}

/** `text_ends`: it is the last block. */
static void run_block(pld_joint *j, int64_t index, bool dual, bool text_ends, pld_joint_streams *s) {
    pld_builder *b = &j->b;
    size_t mark = pld_scope_enter(b, "transformer_blocks.%d", (int)index);
    pld_value_id by_image = pld_joint_modulation(j, "norm1.linear", dual ? (int)DUAL_PARTS : PLD_JOINT_PARTS);
    s->by_image = pld_rows_as(b, by_image, s->image);
    s->by_text = pld_joint_modulation(j, "norm1_context.linear",
                                      text_ends ? (int)PLD_JOINT_LAST_PARTS : PLD_JOINT_PARTS);
    pld_value_id of_second =
        dual ? pld_joint_modulated(j, s->image, s->by_image, SCALE_SECOND, SHIFT_SECOND) : PLD_NO_VALUE;
    pld_joint_attend_to_both(j, s, text_ends);
    if (dual) {
        attend_to_image(j, s, of_second);
    }
    pld_joint_feed_forward(j, "ff", s->image, s->by_image);
    if (!text_ends) {
        pld_joint_feed_forward(j, "ff_context", s->text, s->by_text);
    }
    pld_scope_leave(b, mark);
    pld_joint_tap_streams(j, index, s, text_ends);
}

/** A block for the rows that do not leave it out. */
static void block(pld_joint *j, const pld_sd3_config *c, int64_t index, pld_joint_streams *s) {
    pld_builder *b = &j->b;
    const pld_joint_streams before = *s;
    const pld_value_id time = j->time;
    b->block_count++;
    s->image = pld_rows_inside(b, s->image);
    s->text = pld_rows_inside(b, s->text);
    j->time = pld_rows_inside(b, j->time);
    run_block(j, index, c->dual[index], index + 1 == c->layers, s);
    s->image = pld_rows_rejoined(b, s->image, before.image);
    s->text = pld_rows_rejoined(b, s->text, before.text);
    j->time = pld_rows_rejoined(b, j->time, time);
}

pld_status pld_sd3_build(pld_plan *plan, const void *config, const pld_denoiser_shape *shape,
                         pld_denoiser_values *values, pld_error *error) {
    const pld_sd3_config *c = config;
    pld_joint j = {.width = pld_sd3_width(c),
                   .heads = c->heads,
                   .text = shape->text_tokens,
                   .rows = shape->height / c->patch,
                   .columns = shape->width / c->patch,
                   .image_first = true,
                   .bias = true,
                   .norms_heads = c->norms_heads,
                   .epsilon = norm_epsilon,
                   .mlp_width = PLD_SD3_MLP_RATIO * pld_sd3_width(c)};
    pld_builder *b = &j.b;
    pld_builder_init(b, plan, error);
    b->sharing = shape->sharing;
    plan->name = "transformer";
    values->sample = pld_input(b, shape->batch, shape->height, shape->width, c->channels);
    pld_joint_embed_time(&j, "time_text_embed", "timestep_embedder",
                         pld_timestep(b, shape->batch, PLD_SD3_SINUSOIDS, true, 0), true);
    pld_joint_streams s = {.image = patches(&j, c, values->sample)};
    s.text = pld_take_outside(b, shape->batch, j.text, j.width);
    pld_tap(b, "context_embedder", s.text);
    for (int64_t i = 0; i < c->layers; i++) {
        block(&j, c, i, &s);
    }
    pld_value_id x = pld_joint_output(&j, s.image, c->patch * c->patch * c->channels);
    values->output = pld_unpatchify(b, x, c->channels, (int)c->patch, true);
    pld_keep(b, values->output);
    return b->status;
}
