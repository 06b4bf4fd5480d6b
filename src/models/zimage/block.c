/* SPDX-License-Identifier: Apache-2.0 */
#include "models/zimage/zimage.h"

/** Parts of a block's modulation. */
enum { SCALE, GATE, SCALE_MLP, GATE_MLP, PARTS };

/** One block on its way into a plan. */
typedef struct zimage_block {
    pld_builder *b;
    const pld_zimage_config *c;
    const pld_zimage_tokens *tokens;
    pld_value_id by; /* [B, 1, 4·width]: scales and gates; PLD_NO_VALUE */
    bool f32;        /* products, as of all that a prompt gives once */
} zimage_block;

static pld_slice part_of(const zimage_block *p, int part) {
    return p->by == PLD_NO_VALUE ? PLD_NO_SLICE : (pld_slice){p->by, part * p->c->width};
}

static pld_product_options plain(const zimage_block *p) {
    return p->f32 ? pld_in_f32(false) : PLD_NO_BIAS;
}

/** (1 + scale)·NAME(x) */
static pld_value_id scaled_norm(zimage_block *p, const char *name, pld_value_id x, int scale) {
    pld_rms_norm_options options = PLD_RMS_NORM;
    options.scale = part_of(p, scale);
    return pld_rms_norm_with(p->b, name, x, p->c->epsilon, options);
}

/** x += tanh(gate)·NAME(y) */
static void add_normed(zimage_block *p, const char *name, pld_value_id y, pld_value_id x, int gate) {
    pld_rms_norm_options options = PLD_RMS_NORM;
    options.into = x;
    options.gate = part_of(p, gate);
    pld_rms_norm_with(p->b, name, y, p->c->epsilon, options);
}

/** Attention of all tokens to each other: where PLADIS acts if they are of both kinds, on the caption's columns in the
 * picture's rows. */
static pld_value_id attend(zimage_block *p, pld_value_id query, pld_value_id key, pld_value_id value) {
    const pld_zimage_tokens *t = p->tokens;
    pld_attention_description attention = pld_self_attention(query, key, value, p->c->heads);
    if (t->image > 0) {
        attention.image_columns = t->columns;
        attention.image_padding = t->image - t->rows * t->columns;
    }
    if (t->image > 0 && !t->image_only) {
        attention.kind = PLD_SITE_JOINT;
        attention.first_text_token = t->image;
        attention.text_tokens = t->text;
    }
    return pld_attend(p->b, attention);
}

/** to_out(attention(x)); `attended` gets what attention gave. */
static pld_value_id attention(zimage_block *p, pld_value_id x, pld_value_id *attended) {
    pld_builder *b = p->b;
    const int64_t width = p->c->width;
    pld_value_id query = pld_linear(b, "to_q", x, width, plain(p));
    pld_value_id key = pld_linear(b, "to_k", x, width, plain(p));
    query = pld_zimage_rotate(b, p->c, "norm_q", query, p->tokens);
    key = pld_zimage_rotate(b, p->c, "norm_k", key, p->tokens);
    *attended = attend(p, query, key, pld_linear(b, "to_v", x, width, plain(p)));
    return pld_linear(b, "to_out.0", *attended, width, plain(p));
}

/** w2(w3(x)·silu(w1(x))) */
static pld_value_id feed_forward(zimage_block *p, pld_value_id x) {
    const int64_t hidden = (int64_t)((double)p->c->width / 3 * 8);
    pld_product_options gated = pld_gated_by("w1", PLD_SILU);
    gated.f32 = p->f32;
    x = pld_linear(p->b, "w3", x, hidden, gated);
    return pld_linear(p->b, "w2", x, p->c->width, plain(p));
}

pld_value_id pld_zimage_block(pld_builder *b, const pld_zimage_config *c, const char *name, pld_value_id x,
                              pld_value_id time, const pld_zimage_tokens *tokens) {
    zimage_block p = {b, c, tokens, PLD_NO_VALUE, time == PLD_NO_VALUE};
    pld_value_id attended = PLD_NO_VALUE;
    const size_t block = pld_scope_enter(b, "%s", name);
    if (time != PLD_NO_VALUE) {
        p.by = pld_linear(b, "adaLN_modulation.0", time, PARTS * c->width, PLD_BIAS);
    }
    pld_value_id y = scaled_norm(&p, "attention_norm1", x, SCALE);
    size_t mark = pld_scope_enter(b, "attention");
    y = attention(&p, y, &attended);
    pld_tap(b, b->scope, y);
    pld_scope_leave(b, mark);
    x = pld_rows_like(b, x, attended);
    add_normed(&p, "attention_norm2", y, x, GATE);
    y = scaled_norm(&p, "ffn_norm1", x, SCALE_MLP);
    mark = pld_scope_enter(b, "feed_forward");
    y = feed_forward(&p, y);
    pld_tap(b, b->scope, y);
    pld_scope_leave(b, mark);
    add_normed(&p, "ffn_norm2", y, x, GATE_MLP);
    pld_scope_leave(b, block);
    pld_tap(b, name, x);
    return x;
}
