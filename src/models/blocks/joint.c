/* SPDX-License-Identifier: Apache-2.0 */
#include "models/blocks/joint.h"

#include <stdio.h>

/** What the layers of one stream's projections are called, and the norms of its heads. */
typedef struct projection_names {
    const char *query, *key, *value, *query_norm, *key_norm;
} projection_names;

static const projection_names names_of[] = {
    [PLD_JOINT_IMAGE] = {"to_q", "to_k", "to_v", "norm_q", "norm_k"},
    [PLD_JOINT_TEXT] = {"add_q_proj", "add_k_proj", "add_v_proj", "norm_added_q", "norm_added_k"},
    [PLD_JOINT_BOTH] = {"to_q", "to_k", "to_v", "norm_q", "norm_k"},
};

static pld_slice part_of(const pld_joint *j, pld_value_id modulation, int part) {
    return (pld_slice){modulation, part * j->width};
}

static pld_product_options plain(const pld_joint *j) {
    return pld_with_bias(PLD_BIAS, j->bias);
}

void pld_joint_embed_time(pld_joint *j, const char *tap, const char *name, pld_value_id sinusoids,
                          bool outside) {
    pld_builder *b = &j->b;
    size_t mark = pld_scope_enter(b, "%s.%s", tap, name);
    pld_value_id x = pld_activate(b, pld_linear(b, "linear_1", sinusoids, j->width, plain(j)), PLD_SILU);
    x = pld_linear(b, "linear_2", x, j->width, plain(j));
    x = outside ? pld_add_outside(b, x) : x;
    pld_scope_leave(b, mark);
    pld_tap(b, tap, x);
    j->time = pld_activate(b, x, PLD_SILU);
}

pld_value_id pld_joint_modulation(pld_joint *j, const char *name, int parts) {
    return pld_linear(&j->b, name, j->time, parts * j->width, plain(j));
}

pld_value_id pld_joint_modulated(pld_joint *j, pld_value_id x, pld_value_id by, int scale, int shift) {
    return pld_layer_norm_modulated(&j->b, x, j->epsilon, part_of(j, by, scale), part_of(j, by, shift));
}

void pld_joint_add_gated(pld_joint *j, const char *name, pld_value_id y, pld_value_id x, pld_value_id by,
                         int gate) {
    pld_linear(&j->b, name, y, j->width, pld_with_bias(pld_gated_into(x, part_of(j, by, gate)), j->bias));
}

pld_value_id pld_joint_prepare_heads(pld_joint *j, const char *norm, pld_value_id x,
                                     pld_joint_tokens tokens) {
    const pld_rotation_options no_turn = {.heads = j->heads, .norm = norm, .epsilon = j->epsilon};
    pld_places places = j->places;
    places.text = tokens == PLD_JOINT_IMAGE ? 0 : j->text;
    places.height = tokens == PLD_JOINT_TEXT ? 0 : j->rows;
    places.width = tokens == PLD_JOINT_TEXT ? 0 : j->columns;
    /* At coordinate 0 of every axis nothing turns. */
    const bool turns = places.axis_count > 0 && !(tokens == PLD_JOINT_TEXT && places.text_axis < 0);
    return turns            ? pld_rotate_places(&j->b, &places, j->heads, norm, j->epsilon, x)
           : j->norms_heads ? pld_rotate_heads(&j->b, x, &no_turn)
                            : x;
}

pld_joint_projections pld_joint_project(pld_joint *j, pld_value_id x, pld_joint_tokens tokens) {
    pld_builder *b = &j->b;
    const projection_names *names = &names_of[tokens];
    /* PLADIS magnifies errors of the text's logits */
    pld_product_options logits = plain(j);
    logits.above_8_bit = tokens == PLD_JOINT_TEXT;
    pld_value_id query = pld_linear(b, names->query, x, j->width, logits);
    pld_value_id key = pld_linear(b, names->key, x, j->width, logits);
    return (pld_joint_projections){pld_joint_prepare_heads(j, names->query_norm, query, tokens),
                                   pld_joint_prepare_heads(j, names->key_norm, key, tokens),
                                   pld_linear(b, names->value, x, j->width, plain(j))};
}

pld_value_id pld_joint_join(pld_joint *j, pld_value_id image, pld_value_id text) {
    image = pld_rows_like(&j->b, image, text);
    return j->image_first ? pld_concat_tokens(&j->b, image, text) : pld_concat_tokens(&j->b, text, image);
}

pld_value_id pld_joint_image_of(pld_joint *j, pld_value_id both) {
    return pld_take(&j->b, both, j->image_first ? 0 : j->text * j->width, j->rows, j->columns, j->width);
}

static pld_value_id text_of(pld_joint *j, pld_value_id both) {
    const int64_t first = j->image_first ? j->rows * j->columns : 0;
    return pld_take(&j->b, both, first * j->width, j->text, 1, j->width);
}

pld_value_id pld_joint_attend(pld_joint *j, pld_joint_projections of) {
    pld_attention_description attention = pld_self_attention(of.query, of.key, of.value, j->heads);
    attention.kind = PLD_SITE_JOINT;
    attention.text_tokens = j->text;
    attention.first_text_token = j->image_first ? j->rows * j->columns : 0;
    attention.image_columns = j->columns;
    return pld_attend(&j->b, attention);
}

void pld_joint_part_rows(pld_joint *j, pld_joint_streams *s, pld_value_id out, pld_value_id image_out) {
    pld_builder *b = &j->b;
    s->image = pld_rows_like(b, s->image, image_out);
    s->by_image = pld_rows_like(b, s->by_image, image_out);
    s->text = pld_rows_like(b, s->text, out);
    s->by_text = pld_rows_like(b, s->by_text, out);
    j->time = pld_rows_like(b, j->time, out);
}

void pld_joint_attend_to_both(pld_joint *j, pld_joint_streams *s, bool text_ends) {
    pld_builder *b = &j->b;
    pld_value_id of_image = pld_joint_modulated(j, s->image, s->by_image, PLD_JOINT_SCALE, PLD_JOINT_SHIFT);
    pld_value_id of_text =
        pld_joint_modulated(j, s->text, s->by_text, text_ends ? PLD_JOINT_LAST_SCALE : PLD_JOINT_SCALE,
                            text_ends ? PLD_JOINT_LAST_SHIFT : PLD_JOINT_SHIFT);
    size_t mark = pld_scope_enter(b, "attn");
    pld_joint_projections image = pld_joint_project(j, of_image, PLD_JOINT_IMAGE);
    pld_joint_projections text = pld_joint_project(j, of_text, PLD_JOINT_TEXT);
    pld_joint_projections both = {pld_joint_join(j, image.query, text.query),
                                  pld_joint_join(j, image.key, text.key),
                                  pld_joint_join(j, image.value, text.value)};
    pld_value_id out = pld_joint_attend(j, both);
    pld_value_id image_out = pld_rows_of_pictures(b, pld_joint_image_of(j, out));
    pld_joint_part_rows(j, s, out, image_out);
    pld_joint_add_gated(j, "to_out.0", image_out, s->image, s->by_image, PLD_JOINT_GATE);
    if (!text_ends) {
        pld_joint_add_gated(j, "to_add_out", text_of(j, out), s->text, s->by_text, PLD_JOINT_GATE);
    }
    pld_scope_leave(b, mark);
}

void pld_joint_feed_forward(pld_joint *j, const char *name, pld_value_id x, pld_value_id by) {
    pld_builder *b = &j->b;
    pld_value_id y = pld_joint_modulated(j, x, by, PLD_JOINT_SCALE_MLP, PLD_JOINT_SHIFT_MLP);
    size_t mark = pld_scope_enter(b, "%s", name);
    y = pld_activate(b, pld_linear(b, "net.0.proj", y, j->mlp_width, plain(j)), PLD_GELU_TANH);
    pld_joint_add_gated(j, "net.2", y, x, by, PLD_JOINT_GATE_MLP);
    pld_scope_leave(b, mark);
}

void pld_joint_tap_streams(pld_joint *j, int64_t index, const pld_joint_streams *s, bool text_ends) {
    char name[PLD_PLAN_NAME];
    if (!text_ends) {
        snprintf(name, sizeof name, "transformer_blocks.%d", (int)index);
        pld_tap(&j->b, name, s->text);
    }
    snprintf(name, sizeof name, "transformer_blocks.%d%s", (int)index, text_ends ? "" : ".out1");
    pld_tap(&j->b, name, s->image);
}

pld_value_id pld_joint_output(pld_joint *j, pld_value_id x, int64_t channels) {
    pld_builder *b = &j->b;
    pld_value_id by = pld_joint_modulation(j, "norm_out.linear", PLD_JOINT_LAST_PARTS);
    x = pld_joint_modulated(j, x, pld_rows_as(b, by, x), PLD_JOINT_LAST_SCALE, PLD_JOINT_LAST_SHIFT);
    pld_tap(b, "norm_out", x);
    return pld_linear(b, "proj_out", x, channels, pld_at_an_end(plain(j)));
}
