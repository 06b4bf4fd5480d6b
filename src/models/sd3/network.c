/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "models/sd3/sd3.h"

static const double norm_epsilon = 1e-6;

/** Parts of a block's modulation; the last three in blocks with a second attention alone. */
enum {
    SHIFT,
    SCALE,
    GATE,
    SHIFT_MLP,
    SCALE_MLP,
    GATE_MLP,
    BLOCK_PARTS,
    SHIFT_SECOND = BLOCK_PARTS,
    SCALE_SECOND,
    GATE_SECOND,
    DUAL_PARTS
};
/** Of the last norm of either stream, which diffusers stores the other way round. */
enum { LAST_SCALE, LAST_SHIFT, LAST_PARTS };

/** What the blocks share. */
typedef struct sd3_builder {
    pld_builder b;
    const pld_sd3_config *c;
    int64_t width;               /* of a token in the network */
    int64_t text, rows, columns; /* tokens of the text, and of the picture */
    pld_value_id time;           /* [B, 1, width]: SiLU of the embedding of timestep and pooled text */
} sd3_builder;

/** Queries, keys and values of some tokens, [B, T, width] each. */
typedef struct projections {
    pld_value_id query, key, value;
} projections;

/** What the layers of one stream's projections are called, and the norms of its heads. */
typedef struct projection_names {
    const char *query, *key, *value, *query_norm, *key_norm;
} projection_names;

static const projection_names image_names = {"to_q", "to_k", "to_v", "norm_q", "norm_k"};
static const projection_names text_names = {"add_q_proj", "add_k_proj", "add_v_proj", "norm_added_q",
                                            "norm_added_k"};

static pld_slice part_of(const sd3_builder *p, pld_value_id modulation, int part) {
    return (pld_slice){modulation, part * p->width};
}

/** norm(x)·(1 + scale) + shift, by two parts of a modulation. */
static pld_value_id modulated(sd3_builder *p, pld_value_id x, pld_value_id by, int scale, int shift) {
    return pld_layer_norm_modulated(&p->b, x, norm_epsilon, part_of(p, by, scale), part_of(p, by, shift));
}

static pld_value_id modulation(sd3_builder *p, const char *name, int parts) {
    return pld_linear(&p->b, name, p->time, parts * p->width, PLD_BIAS);
}

/** x += gate·NAME(y). */
static void add_gated(sd3_builder *p, const char *name, pld_value_id y, pld_value_id x, pld_value_id by,
                      int gate) {
    pld_linear(&p->b, name, y, p->width, pld_gated_into(x, part_of(p, by, gate)));
}

static void time_embedding(sd3_builder *p, int64_t batch) {
    pld_builder *b = &p->b;
    size_t mark = pld_scope_enter(b, "time_text_embed.timestep_embedder");
    pld_value_id x = pld_timestep(b, batch, PLD_SD3_SINUSOIDS, true, 0);
    x = pld_activate(b, pld_linear(b, "linear_1", x, p->width, PLD_BIAS), PLD_SILU);
    x = pld_add_outside(b, pld_linear(b, "linear_2", x, p->width, PLD_BIAS));
    pld_scope_leave(b, mark);
    pld_tap(b, "time_text_embed", x);
    p->time = pld_activate(b, x, PLD_SILU);
}

/** The patches of the latents with their places, which are those in the middle of a stored square. */
static pld_value_id patches(sd3_builder *p, pld_value_id sample) {
    pld_builder *b = &p->b;
    size_t mark = pld_scope_enter(b, "pos_embed");
    pld_value_id x = pld_patch_embed(b, "proj", pld_rows_of_pictures(b, sample), p->width, (int)p->c->patch);
    x = pld_add_middle(b, "pos_embed", x, p->c->places);
    pld_scope_leave(b, mark);
    pld_tap(b, "pos_embed", x);
    return x;
}

/** Queries or keys of x, their heads normed. */
static pld_value_id normed(sd3_builder *p, const char *name, const char *norm, pld_value_id x) {
    const pld_rotation_options options = {.heads = p->c->heads, .norm = norm, .epsilon = norm_epsilon};
    pld_value_id y = pld_linear(&p->b, name, x, p->width, PLD_BIAS);
    return p->c->norms_heads ? pld_rotate_heads(&p->b, y, &options) : y;
}

static projections projections_of(sd3_builder *p, const projection_names *names, pld_value_id x) {
    return (projections){normed(p, names->query, names->query_norm, x),
                         normed(p, names->key, names->key_norm, x),
                         pld_linear(&p->b, names->value, x, p->width, PLD_BIAS)};
}

/** The picture's tokens, which may have fewer rows, and the text's. */
static pld_value_id join(pld_builder *b, pld_value_id image, pld_value_id text) {
    return pld_concat_tokens(b, pld_rows_like(b, image, text), text);
}

/** Attention of all tokens, the picture's first, to each other: where PLADIS acts, on the text's columns in the picture's
 * rows. */
static pld_value_id joint_attention(sd3_builder *p, projections image, projections text) {
    pld_builder *b = &p->b;
    pld_attention_description attention =
        pld_self_attention(join(b, image.query, text.query), join(b, image.key, text.key),
                           join(b, image.value, text.value), p->c->heads);
    attention.kind = PLD_SITE_JOINT;
    attention.text_tokens = p->text;
    attention.first_text_token = p->rows * p->columns;
    attention.image_columns = p->columns;
    return pld_attend(b, attention);
}

/** Attention of the picture's tokens alone. */
static pld_value_id second_attention(sd3_builder *p, pld_value_id y) {
    projections of = projections_of(p, &image_names, y);
    return pld_attend(&p->b, pld_self_attention(of.query, of.key, of.value, p->c->heads));
}

/** x += gate·net.2(gelu(net.0(norm(x)))), with the tanh approximation of GELU. */
static void feed_forward(sd3_builder *p, const char *name, pld_value_id x, pld_value_id by) {
    pld_builder *b = &p->b;
    pld_value_id y = modulated(p, x, by, SCALE_MLP, SHIFT_MLP);
    size_t mark = pld_scope_enter(b, "%s", name);
    y = pld_linear(b, "net.0.proj", y, PLD_SD3_MLP_RATIO * p->width, PLD_BIAS);
    add_gated(p, "net.2", pld_activate(b, y, PLD_GELU_TANH), x, by, GATE_MLP);
    pld_scope_leave(b, mark);
}

/** Both streams on their way through a block, with their modulations. */
typedef struct streams {
    pld_value_id image, text, by_image, by_text;
} streams;

/** After an attention that gave `out`, all that follows has as many rows, of the picture perhaps fewer: `image_out`. */
static void part_rows(sd3_builder *p, streams *s, pld_value_id out, pld_value_id image_out) {
    pld_builder *b = &p->b;
    s->image = pld_rows_like(b, s->image, image_out);
    s->by_image = pld_rows_like(b, s->by_image, image_out);
    s->text = pld_rows_like(b, s->text, out);
    s->by_text = pld_rows_like(b, s->by_text, out);
    p->time = pld_rows_like(b, p->time, out);
}

/** image += gate·to_out.0(…), text += gate·to_add_out(…) of the attention of both. Of the last block's text nothing is
 * wanted but its keys and values. */
static void attend_to_both(sd3_builder *p, streams *s, bool last) {
    pld_builder *b = &p->b;
    const int64_t pixels = p->rows * p->columns;
    pld_value_id of_image = modulated(p, s->image, s->by_image, SCALE, SHIFT);
    pld_value_id of_text =
        modulated(p, s->text, s->by_text, last ? LAST_SCALE : SCALE, last ? LAST_SHIFT : SHIFT);
    size_t mark = pld_scope_enter(b, "attn");
    projections image = projections_of(p, &image_names, of_image);
    pld_value_id out = joint_attention(p, image, projections_of(p, &text_names, of_text));
    pld_value_id image_out = pld_rows_of_pictures(b, pld_take(b, out, 0, p->rows, p->columns, p->width));
    part_rows(p, s, out, image_out);
    add_gated(p, "to_out.0", image_out, s->image, s->by_image, GATE);
    if (!last) {
        add_gated(p, "to_add_out", pld_take(b, out, pixels * p->width, p->text, 1, p->width), s->text,
                  s->by_text, GATE);
    }
    pld_scope_leave(b, mark);
}

/** image += gate·to_out.0(attention(y)) of the picture's tokens alone. */
static void attend_to_image(sd3_builder *p, streams *s, pld_value_id y) {
    pld_builder *b = &p->b;
    size_t mark = pld_scope_enter(b, "attn2");
    pld_value_id out = second_attention(p, y), image_out = pld_rows_of_pictures(b, out);
    part_rows(p, s, out, image_out);
    add_gated(p, "to_out.0", image_out, s->image, s->by_image, GATE_SECOND);
    pld_scope_leave(b, mark);
}

static void run_block(sd3_builder *p, int64_t index, streams *s) {
    pld_builder *b = &p->b;
    const bool dual = p->c->dual[index], last = index + 1 == p->c->layers;
    char name[PLD_PLAN_NAME];
    snprintf(name, sizeof name, "transformer_blocks.%d", (int)index);
    size_t mark = pld_scope_enter(b, "%s", name);
    s->by_image = pld_rows_as(b, modulation(p, "norm1.linear", dual ? DUAL_PARTS : BLOCK_PARTS), s->image);
    s->by_text = modulation(p, "norm1_context.linear", last ? LAST_PARTS : BLOCK_PARTS);
    pld_value_id of_second =
        dual ? modulated(p, s->image, s->by_image, SCALE_SECOND, SHIFT_SECOND) : PLD_NO_VALUE;
    attend_to_both(p, s, last);
    if (dual) {
        attend_to_image(p, s, of_second);
    }
    feed_forward(p, "ff", s->image, s->by_image);
    if (!last) {
        feed_forward(p, "ff_context", s->text, s->by_text);
        pld_tap(b, name, s->text);
        snprintf(name, sizeof name, "transformer_blocks.%d.out1", (int)index);
    }
    pld_scope_leave(b, mark);
    pld_tap(b, name, s->image);
}

/** A block for the rows that do not leave it out. */
static void block(sd3_builder *p, int64_t index, streams *s) {
    pld_builder *b = &p->b;
    const streams before = *s;
    const pld_value_id time = p->time;
    b->block_count++;
    s->image = pld_rows_inside(b, s->image);
    s->text = pld_rows_inside(b, s->text);
    p->time = pld_rows_inside(b, p->time);
    run_block(p, index, s);
    s->image = pld_rows_rejoined(b, s->image, before.image);
    s->text = pld_rows_rejoined(b, s->text, before.text);
    p->time = pld_rows_rejoined(b, p->time, time);
}

/** The last norm and the way back to pixels of latents. */
static pld_value_id output_of(sd3_builder *p, pld_value_id x) {
    pld_builder *b = &p->b;
    const int64_t patch = p->c->patch;
    pld_value_id by = pld_rows_as(b, modulation(p, "norm_out.linear", LAST_PARTS), x);
    x = modulated(p, x, by, LAST_SCALE, LAST_SHIFT);
    pld_tap(b, "norm_out", x);
    x = pld_linear(b, "proj_out", x, patch * patch * p->c->channels, PLD_BIAS);
    return pld_unpatchify(b, x, p->c->channels, (int)patch, true);
}

pld_status pld_sd3_build(pld_plan *plan, const void *config, const pld_denoiser_shape *shape,
                         pld_denoiser_values *values, pld_error *error) {
    const pld_sd3_config *c = config;
    sd3_builder p = {.c = c,
                     .width = pld_sd3_width(c),
                     .text = shape->text_tokens,
                     .rows = shape->height / c->patch,
                     .columns = shape->width / c->patch};
    pld_builder *b = &p.b;
    pld_builder_init(b, plan, error);
    b->sharing = shape->sharing;
    plan->name = "transformer";
    values->sample = pld_input(b, shape->batch, shape->height, shape->width, c->channels);
    time_embedding(&p, shape->batch);
    streams s = {.image = patches(&p, values->sample)};
    s.text = pld_take_outside(b, shape->batch, p.text, p.width);
    pld_tap(b, "context_embedder", s.text);
    for (int64_t i = 0; i < c->layers; i++) {
        block(&p, i, &s);
    }
    values->output = output_of(&p, s.image);
    pld_keep(b, values->output);
    return b->status;
}
