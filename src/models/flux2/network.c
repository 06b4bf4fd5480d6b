/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "models/blocks/place_rotation.h"
#include "models/flux2/flux2.h"

/** Parts of a modulation: of a stream of the double blocks all of them, of the single blocks the first three. */
enum { SHIFT, SCALE, GATE, SINGLE_PARTS, SHIFT_MLP = SINGLE_PARTS, SCALE_MLP, GATE_MLP, DOUBLE_PARTS };
/** Of the last norm, which diffusers stores the other way round. */
enum { LAST_SCALE, LAST_SHIFT, LAST_PARTS };

/** What the blocks share. */
typedef struct flux2_builder {
    pld_builder b;
    const pld_flux2_config *c;
    int64_t width;               /* of a token in the network */
    int64_t text, rows, columns; /* tokens of the text, and of the picture */
    /* [B, 1, parts·width]: of the picture's and the text's stream in every double block, and of every single block */
    pld_value_id by_image, by_text, by_both;
    pld_value_id time; /* [B, 1, width]: SiLU of the embedding of timestep and guidance */
} flux2_builder;

/** Queries, keys and values of some tokens, [B, T, width] each. */
typedef struct projections {
    pld_value_id query, key, value;
} projections;

static pld_slice part_of(const flux2_builder *p, pld_value_id modulation, int part) {
    return (pld_slice){modulation, part * p->width};
}

/** norm(x)·(1 + scale) + shift, by two parts of a modulation. */
static pld_value_id modulated(flux2_builder *p, pld_value_id x, pld_value_id by, int scale, int shift) {
    return pld_layer_norm_modulated(&p->b, x, p->c->epsilon, part_of(p, by, scale), part_of(p, by, shift));
}

/** Layer NAME.linear of the embedding of time, under a tap of the module's name. */
static pld_value_id modulation(flux2_builder *p, const char *name, int parts) {
    pld_builder *b = &p->b;
    size_t mark = pld_scope_enter(b, "%s", name);
    pld_value_id x = pld_linear(b, "linear", p->time, parts * p->width, PLD_NO_BIAS);
    pld_scope_leave(b, mark);
    pld_tap(b, name, x);
    return x;
}

/** x += gate·NAME(y). */
static void add_gated(flux2_builder *p, const char *name, pld_value_id y, pld_value_id x, pld_value_id by,
                      int gate) {
    pld_linear(&p->b, name, y, p->width, pld_with_bias(pld_gated_into(x, part_of(p, by, gate)), false));
}

static void time_embedding(flux2_builder *p, int64_t batch) {
    pld_builder *b = &p->b;
    size_t mark = pld_scope_enter(b, "time_guidance_embed.timestep_embedder");
    pld_value_id x = pld_timestep_scaled(b, batch, p->c->sinusoids, 1000);
    x = pld_activate(b, pld_linear(b, "linear_1", x, p->width, PLD_NO_BIAS), PLD_SILU);
    x = pld_linear(b, "linear_2", x, p->width, PLD_NO_BIAS);
    x = p->c->guidance_embeds ? pld_add_outside(b, x) : x;
    pld_scope_leave(b, mark);
    pld_tap(b, "time_guidance_embed", x);
    p->time = pld_activate(b, x, PLD_SILU);
}

/** The modulations of all blocks, which know nothing of the text or the picture. */
static void modulations(flux2_builder *p) {
    p->by_image = pld_rows_of_pictures(&p->b, modulation(p, "double_stream_modulation_img", DOUBLE_PARTS));
    p->by_text = modulation(p, "double_stream_modulation_txt", DOUBLE_PARTS);
    p->by_both = modulation(p, "single_stream_modulation", SINGLE_PARTS);
}

/** Where rows part, what is the same for all blocks parts with them, so that each row is computed alike, alone and beside
 * others. */
static void part_like(flux2_builder *p, pld_value_id out) {
    p->by_text = pld_rows_like(&p->b, p->by_text, out);
    p->by_both = pld_rows_like(&p->b, p->by_both, out);
    p->time = pld_rows_like(&p->b, p->time, out);
}

/** Attention of all tokens, the text's first, to each other: where PLADIS acts, on the text's columns in the picture's
 * rows. */
static pld_value_id joint_attention(flux2_builder *p, projections of) {
    pld_attention_description attention = pld_self_attention(of.query, of.key, of.value, p->c->heads);
    attention.kind = PLD_SITE_JOINT;
    attention.text_tokens = p->text;
    attention.image_columns = p->columns;
    return pld_attend(&p->b, attention);
}

/** Norm and rotation of queries or keys of the tokens of a text, a picture, or both. */
static pld_value_id rotated(flux2_builder *p, const char *norm, pld_value_id x, bool text, bool image) {
    const pld_flux2_config *c = p->c;
    const pld_places places = {
        .theta = c->theta,
        .text = text ? p->text : 0,
        .height = image ? p->rows : 0,
        .width = image ? p->columns : 0,
        .axes = {(int32_t)c->axes[0], (int32_t)c->axes[1], (int32_t)c->axes[2], (int32_t)c->axes[3]},
        .axis_count = PLD_FLUX2_AXES,
        .text_axis = PLD_FLUX2_AXES - 1};
    return pld_rotate_places(&p->b, &places, c->heads, norm, c->epsilon, x);
}

static projections image_projections(flux2_builder *p, pld_value_id x) {
    pld_builder *b = &p->b;
    pld_value_id query = pld_linear(b, "to_q", x, p->width, PLD_NO_BIAS);
    pld_value_id key = pld_linear(b, "to_k", x, p->width, PLD_NO_BIAS);
    return (projections){rotated(p, "norm_q", query, false, true), rotated(p, "norm_k", key, false, true),
                         pld_linear(b, "to_v", x, p->width, PLD_NO_BIAS)};
}

static projections text_projections(flux2_builder *p, pld_value_id x) {
    pld_builder *b = &p->b;
    pld_value_id query = pld_linear(b, "add_q_proj", x, p->width, PLD_NO_BIAS);
    pld_value_id key = pld_linear(b, "add_k_proj", x, p->width, PLD_NO_BIAS);
    return (projections){rotated(p, "norm_added_q", query, true, false),
                         rotated(p, "norm_added_k", key, true, false),
                         pld_linear(b, "add_v_proj", x, p->width, PLD_NO_BIAS)};
}

/** The text's tokens and the picture's, which may have fewer rows. */
static pld_value_id join(pld_builder *b, pld_value_id text, pld_value_id image) {
    return pld_concat_tokens(b, text, pld_rows_like(b, image, text));
}

/** x += gate·linear_out(silu(a)·b), where (a, b) = linear_in(norm(x)). */
static void feed_forward(flux2_builder *p, const char *name, pld_value_id x, pld_value_id by) {
    pld_builder *b = &p->b;
    pld_value_id y = modulated(p, x, by, SCALE_MLP, SHIFT_MLP);
    size_t mark = pld_scope_enter(b, "%s", name);
    y = pld_linear(b, "linear_in", y, p->c->mlp_width, pld_swiglu(PLD_NO_BIAS));
    add_gated(p, "linear_out", y, x, by, GATE_MLP);
    pld_scope_leave(b, mark);
}

/** Both streams through a block with weights of their own, which meet in its attention. */
static void double_block(flux2_builder *p, int64_t index, pld_value_id *image, pld_value_id *text) {
    pld_builder *b = &p->b;
    char name[PLD_PLAN_NAME];
    snprintf(name, sizeof name, "transformer_blocks.%d", (int)index);
    size_t block = pld_scope_enter(b, "%s", name);
    b->block_count++;
    pld_value_id of_image = modulated(p, *image, p->by_image, SCALE, SHIFT);
    pld_value_id of_text = modulated(p, *text, p->by_text, SCALE, SHIFT);
    size_t mark = pld_scope_enter(b, "attn");
    projections of = text_projections(p, of_text), with = image_projections(p, of_image);
    pld_value_id out =
        joint_attention(p, (projections){join(b, of.query, with.query), join(b, of.key, with.key),
                                         join(b, of.value, with.value)});
    pld_value_id text_out = pld_take(b, out, 0, p->text, 1, p->width);
    pld_value_id image_out =
        pld_rows_of_pictures(b, pld_take(b, out, p->text * p->width, p->rows, p->columns, p->width));
    *image = pld_rows_like(b, *image, image_out);
    *text = pld_rows_like(b, *text, out);
    p->by_image = pld_rows_like(b, p->by_image, image_out);
    part_like(p, out);
    add_gated(p, "to_out.0", image_out, *image, p->by_image, GATE);
    add_gated(p, "to_add_out", text_out, *text, p->by_text, GATE);
    pld_scope_leave(b, mark);
    feed_forward(p, "ff", *image, p->by_image);
    feed_forward(p, "ff_context", *text, p->by_text);
    pld_scope_leave(b, block);
    pld_tap(b, name, *text);
    snprintf(name, sizeof name, "transformer_blocks.%d.out1", (int)index);
    pld_tap(b, name, *image);
}

/** x += gate·to_out(attention(q, k, v), silu(a)·b), where (q, k, v, a, b) = to_qkv_mlp_proj(norm(x)), of the tokens of
 * both. */
static pld_value_id single_block(flux2_builder *p, int64_t index, pld_value_id x) {
    static const char fused[] = "to_qkv_mlp_proj";
    pld_builder *b = &p->b;
    const int64_t width = p->width, all = 3 * width + 2 * p->c->mlp_width;
    char name[PLD_PLAN_NAME];
    snprintf(name, sizeof name, "single_transformer_blocks.%d", (int)index);
    size_t block = pld_scope_enter(b, "%s", name);
    b->block_count++;
    pld_value_id y = modulated(p, x, p->by_both, SCALE, SHIFT);
    size_t mark = pld_scope_enter(b, "attn");
    pld_value_id query = pld_linear(b, fused, y, width, pld_rows_of_weight(0, all));
    pld_value_id key = pld_linear(b, fused, y, width, pld_rows_of_weight(width, all));
    pld_value_id out = joint_attention(
        p, (projections){rotated(p, "norm_q", query, true, true), rotated(p, "norm_k", key, true, true),
                         pld_linear(b, fused, y, width, pld_rows_of_weight(2 * width, all))});
    x = pld_rows_like(b, x, out);
    y = pld_rows_like(b, y, out);
    part_like(p, out);
    y = pld_linear(b, fused, y, p->c->mlp_width, pld_swiglu(pld_rows_of_weight(3 * width, all)));
    add_gated(p, "to_out", pld_concat(b, out, y), x, p->by_both, GATE);
    pld_scope_leave(b, mark);
    pld_scope_leave(b, block);
    pld_tap(b, name, x);
    return x;
}

/** The last norm and the way back to latents, of the picture's tokens. */
static pld_value_id output_of(flux2_builder *p, pld_value_id x) {
    pld_builder *b = &p->b;
    size_t mark = pld_scope_enter(b, "norm_out");
    pld_value_id by = pld_linear(b, "linear", p->time, LAST_PARTS * p->width, PLD_NO_BIAS);
    pld_scope_leave(b, mark);
    x = modulated(p, x, by, LAST_SCALE, LAST_SHIFT);
    pld_tap(b, "norm_out", x);
    return pld_linear(b, "proj_out", x, p->c->channels, PLD_NO_BIAS);
}

pld_status pld_flux2_build(pld_plan *plan, const void *config, const pld_denoiser_shape *shape,
                           pld_denoiser_values *values, pld_error *error) {
    const pld_flux2_config *c = config;
    flux2_builder p = {.c = c,
                       .width = pld_flux2_width(c),
                       .text = shape->text_tokens,
                       .rows = shape->height,
                       .columns = shape->width};
    pld_builder *b = &p.b;
    pld_builder_init(b, plan, error);
    b->sharing = shape->sharing;
    plan->name = "transformer";
    values->sample = pld_input(b, shape->batch, shape->height, shape->width, c->channels);
    time_embedding(&p, shape->batch);
    modulations(&p);
    pld_value_id image = pld_rows_of_pictures(b, values->sample);
    image = pld_linear(b, "x_embedder", image, p.width, PLD_NO_BIAS);
    pld_tap(b, "x_embedder", image);
    pld_value_id text = pld_take_outside(b, shape->batch, p.text, p.width);
    pld_tap(b, "context_embedder", text);
    for (int64_t i = 0; i < c->layers; i++) {
        double_block(&p, i, &image, &text);
    }
    pld_value_id x = join(b, text, image);
    for (int64_t i = 0; i < c->single_layers; i++) {
        x = single_block(&p, i, x);
    }
    x = output_of(&p, pld_take(b, x, p.text * p.width, p.rows, p.columns, p.width));
    pld_keep(b, x);
    values->output = x;
    return b->status;
}
