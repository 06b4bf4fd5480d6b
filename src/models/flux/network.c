/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "models/flux/flux.h"

static const double norm_epsilon = 1e-6;

/** Parts of a modulation: of a double block's stream all of them, of a single block the first three. */
enum { SHIFT, SCALE, GATE, SINGLE_PARTS, SHIFT_MLP = SINGLE_PARTS, SCALE_MLP, GATE_MLP, DOUBLE_PARTS };
/** Of the last norm, which diffusers stores the other way round. */
enum { LAST_SCALE, LAST_SHIFT, LAST_PARTS };

/** What the blocks share. */
typedef struct flux_builder {
    pld_builder b;
    const pld_flux_config *c;
    int64_t width;               /* of a token in the network */
    int64_t text, rows, columns; /* tokens of the text, and of the picture */
    pld_value_id time; /* [B, 1, width]: SiLU of the embedding of timestep, guidance and pooled text */
} flux_builder;

/** Queries, keys and values of some tokens, [B, T, width] each. */
typedef struct projections {
    pld_value_id query, key, value;
} projections;

static pld_slice part_of(const flux_builder *p, pld_value_id modulation, int part) {
    return (pld_slice){modulation, part * p->width};
}

/** norm(x)·(1 + scale) + shift, by two parts of a modulation. */
static pld_value_id modulated(flux_builder *p, pld_value_id x, pld_value_id by, int scale, int shift) {
    return pld_layer_norm_modulated(&p->b, x, norm_epsilon, part_of(p, by, scale), part_of(p, by, shift));
}

static pld_value_id modulation(flux_builder *p, const char *name, int parts) {
    return pld_linear(&p->b, name, p->time, parts * p->width, PLD_BIAS);
}

/** x += gate·NAME(y). Where rows have parted the gates part with them, so that each row is computed alike, alone and beside
 * others. */
static void add_gated(flux_builder *p, const char *name, pld_value_id y, pld_value_id x, pld_value_id by,
                      int gate) {
    pld_linear(&p->b, name, y, p->width, pld_gated_into(x, part_of(p, by, gate)));
}

static void time_embedding(flux_builder *p, int64_t batch) {
    pld_builder *b = &p->b;
    size_t mark = pld_scope_enter(b, "time_text_embed.timestep_embedder");
    pld_value_id x = pld_timestep_scaled(b, batch, PLD_FLUX_SINUSOIDS, 1000);
    x = pld_activate(b, pld_linear(b, "linear_1", x, p->width, PLD_BIAS), PLD_SILU);
    x = pld_add_outside(b, pld_linear(b, "linear_2", x, p->width, PLD_BIAS));
    pld_scope_leave(b, mark);
    pld_tap(b, "time_text_embed", x);
    p->time = pld_activate(b, x, PLD_SILU);
}

/** Attention of all tokens, the text's first, to each other: where PLADIS acts, on the text's columns in the picture's
 * rows. */
static pld_value_id joint_attention(flux_builder *p, projections of) {
    pld_attention_description attention = pld_self_attention(of.query, of.key, of.value, p->c->heads);
    attention.kind = PLD_SITE_JOINT;
    attention.text_tokens = p->text;
    attention.image_columns = p->columns;
    return pld_attend(&p->b, attention);
}

/** Those of the picture's tokens, with their places. */
static projections image_projections(flux_builder *p, pld_value_id x) {
    pld_builder *b = &p->b;
    pld_value_id query = pld_linear(b, "to_q", x, p->width, PLD_BIAS);
    pld_value_id key = pld_linear(b, "to_k", x, p->width, PLD_BIAS);
    return (projections){pld_flux_rotate(b, p->c, "norm_q", query, 0, p->rows, p->columns),
                         pld_flux_rotate(b, p->c, "norm_k", key, 0, p->rows, p->columns),
                         pld_linear(b, "to_v", x, p->width, PLD_BIAS)};
}

/** Those of the text's, all of which stand at place 0. */
static projections text_projections(flux_builder *p, pld_value_id x) {
    pld_builder *b = &p->b;
    pld_value_id query = pld_linear(b, "add_q_proj", x, p->width, PLD_BIAS);
    pld_value_id key = pld_linear(b, "add_k_proj", x, p->width, PLD_BIAS);
    return (projections){pld_flux_norm_heads(b, p->c, "norm_added_q", query),
                         pld_flux_norm_heads(b, p->c, "norm_added_k", key),
                         pld_linear(b, "add_v_proj", x, p->width, PLD_BIAS)};
}

/** The text's tokens and the picture's, which may have fewer rows. */
static pld_value_id join(pld_builder *b, pld_value_id text, pld_value_id image) {
    return pld_concat_tokens(b, text, pld_rows_like(b, image, text));
}

/** x += gate·net.2(gelu(net.0(norm(x)))), with the tanh approximation of GELU. */
static void feed_forward(flux_builder *p, const char *name, pld_value_id x, pld_value_id by) {
    pld_builder *b = &p->b;
    pld_value_id y = modulated(p, x, by, SCALE_MLP, SHIFT_MLP);
    size_t mark = pld_scope_enter(b, "%s", name);
    y = pld_linear(b, "net.0.proj", y, PLD_FLUX_MLP_RATIO * p->width, PLD_BIAS);
    add_gated(p, "net.2", pld_activate(b, y, PLD_GELU_TANH), x, by, GATE_MLP);
    pld_scope_leave(b, mark);
}

/** Both streams through a block with weights of their own, which meet in its attention. */
static void double_block(flux_builder *p, int64_t index, pld_value_id *image, pld_value_id *text) {
    pld_builder *b = &p->b;
    char name[PLD_PLAN_NAME];
    snprintf(name, sizeof name, "transformer_blocks.%d", (int)index);
    size_t block = pld_scope_enter(b, "%s", name);
    b->block_count++;
    pld_value_id by_image = pld_rows_of_pictures(b, modulation(p, "norm1.linear", DOUBLE_PARTS));
    pld_value_id by_text = modulation(p, "norm1_context.linear", DOUBLE_PARTS);
    pld_value_id of_image = modulated(p, *image, by_image, SCALE, SHIFT);
    pld_value_id of_text = modulated(p, *text, by_text, SCALE, SHIFT);
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
    by_image = pld_rows_like(b, by_image, image_out);
    by_text = pld_rows_like(b, by_text, out);
    p->time = pld_rows_like(b, p->time, out);
    add_gated(p, "to_out.0", image_out, *image, by_image, GATE);
    add_gated(p, "to_add_out", text_out, *text, by_text, GATE);
    pld_scope_leave(b, mark);
    feed_forward(p, "ff", *image, by_image);
    feed_forward(p, "ff_context", *text, by_text);
    pld_scope_leave(b, block);
    pld_tap(b, name, *text);
    snprintf(name, sizeof name, "transformer_blocks.%d.out1", (int)index);
    pld_tap(b, name, *image);
}

/** x += gate·proj_out(attention(y), gelu(proj_mlp(y))) for y = norm(x), of the tokens of both. */
static pld_value_id single_block(flux_builder *p, int64_t index, pld_value_id x) {
    pld_builder *b = &p->b;
    size_t block = pld_scope_enter(b, "single_transformer_blocks.%d", (int)index);
    b->block_count++;
    pld_value_id by = modulation(p, "norm.linear", SINGLE_PARTS);
    pld_value_id y = modulated(p, x, by, SCALE, SHIFT);
    size_t mark = pld_scope_enter(b, "attn");
    pld_value_id query = pld_linear(b, "to_q", y, p->width, PLD_BIAS);
    pld_value_id key = pld_linear(b, "to_k", y, p->width, PLD_BIAS);
    pld_value_id out = joint_attention(
        p, (projections){pld_flux_rotate(b, p->c, "norm_q", query, p->text, p->rows, p->columns),
                         pld_flux_rotate(b, p->c, "norm_k", key, p->text, p->rows, p->columns),
                         pld_linear(b, "to_v", y, p->width, PLD_BIAS)});
    pld_scope_leave(b, mark);
    x = pld_rows_like(b, x, out);
    y = pld_rows_like(b, y, out);
    by = pld_rows_like(b, by, out);
    p->time = pld_rows_like(b, p->time, out);
    y = pld_activate(b, pld_linear(b, "proj_mlp", y, PLD_FLUX_MLP_RATIO * p->width, PLD_BIAS), PLD_GELU_TANH);
    add_gated(p, "proj_out", pld_concat(b, out, y), x, by, GATE);
    pld_scope_leave(b, block);
    return x;
}

/** The last norm and the way back to pixels of latents, of the picture's tokens. */
static pld_value_id output_of(flux_builder *p, pld_value_id x) {
    pld_builder *b = &p->b;
    pld_value_id by = modulation(p, "norm_out.linear", LAST_PARTS);
    x = modulated(p, x, by, LAST_SCALE, LAST_SHIFT);
    pld_tap(b, "norm_out", x);
    x = pld_linear(b, "proj_out", x, p->c->token_channels, PLD_BIAS);
    return pld_unpatchify(b, x, pld_flux_channels(p->c), PLD_FLUX_PATCH, false);
}

pld_status pld_flux_build(pld_plan *plan, const void *config, const pld_denoiser_shape *shape,
                          pld_denoiser_values *values, pld_error *error) {
    const pld_flux_config *c = config;
    flux_builder p = {.c = c,
                      .width = pld_flux_width(c),
                      .text = shape->text_tokens,
                      .rows = shape->height / PLD_FLUX_PATCH,
                      .columns = shape->width / PLD_FLUX_PATCH};
    pld_builder *b = &p.b;
    pld_builder_init(b, plan, error);
    b->sharing = shape->sharing;
    plan->name = "transformer";
    values->sample = pld_input(b, shape->batch, shape->height, shape->width, pld_flux_channels(c));
    time_embedding(&p, shape->batch);
    pld_value_id image = pld_rows_of_pictures(b, pld_patchify(b, values->sample, PLD_FLUX_PATCH));
    image = pld_linear(b, "x_embedder", image, p.width, PLD_BIAS);
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
