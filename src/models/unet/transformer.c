/* SPDX-License-Identifier: Apache-2.0 */
#include "models/unet/transformer.h"

#include <stdio.h>

/** LayerNorms of the blocks and the GroupNorm at the entry have fixed epsilons of their own, unlike the
 * resnets. */
static const double layer_norm_epsilon = 1e-5;
static const double entry_norm_epsilon = 1e-6;

/** x += to_out(attention(norm(x))), over the tokens themselves. Returns x, of more rows where some part here.
 */
static pld_value_id self_attention(pld_builder *b, int heads, int64_t width, pld_value_id x) {
    pld_value_id normed = pld_layer_norm(b, "norm1", x, layer_norm_epsilon);
    size_t mark = pld_scope_enter(b, "attn1");
    pld_value_id query = pld_linear(b, "to_q", normed, width, PLD_NO_BIAS);
    pld_value_id key = pld_linear(b, "to_k", normed, width, PLD_NO_BIAS);
    pld_value_id value = pld_linear(b, "to_v", normed, width, PLD_NO_BIAS);
    pld_value_id out = pld_attend(b, pld_self_attention(query, key, value, heads));
    x = pld_rows_like(b, x, out);
    pld_linear(b, "to_out.0", out, width, pld_into(x, true));
    pld_scope_leave(b, mark);
    return x;
}

/** x += to_out(attention(norm(x), context)): where PLADIS acts. Keys and values come with the run. Like them
 * the query is float32 in every run, because PLADIS magnifies errors of the logits. Returns x, likewise. */
static pld_value_id cross_attention(pld_builder *b, int heads, int64_t width, pld_value_id x) {
    pld_value_id normed = pld_layer_norm(b, "norm2", x, layer_norm_epsilon);
    size_t mark = pld_scope_enter(b, "attn2");
    pld_value_id query = pld_linear(b, "to_q", normed, width, pld_in_f32(false));
    pld_value_id out = pld_attend(b, pld_cross_attention(query, heads));
    x = pld_rows_like(b, x, out);
    pld_linear(b, "to_out.0", out, width, pld_into(x, true));
    pld_scope_leave(b, mark);
    return x;
}

/** x += net.2(geglu(net.0(norm(x)))) */
static void feed_forward(pld_builder *b, int64_t width, pld_value_id x) {
    pld_value_id normed = pld_layer_norm(b, "norm3", x, layer_norm_epsilon);
    size_t mark = pld_scope_enter(b, "ff");
    pld_value_id hidden = pld_linear(b, "net.0.proj", normed, 4 * width, pld_geglu());
    pld_linear(b, "net.2", hidden, width, pld_into(x, true));
    pld_scope_leave(b, mark);
}

pld_value_id pld_transformer_2d(pld_builder *b, const pld_transformer_options *options, pld_value_id x) {
    if (b->status != PLD_OK) {
        return PLD_NO_VALUE;
    }
    const int64_t width = b->plan->values[x].channels;
    pld_value_id hidden = pld_group_norm_of(b, "norm", x, options->groups, entry_norm_epsilon, false);
    hidden = pld_linear(b, "proj_in", hidden, width, PLD_BIAS);
    for (int64_t i = 0; i < options->depth; i++) {
        size_t mark = pld_scope_enter(b, "transformer_blocks.%d", (int)i);
        hidden = self_attention(b, options->heads, width, hidden);
        hidden = cross_attention(b, options->heads, width, hidden);
        feed_forward(b, width, hidden);
        pld_scope_leave(b, mark);
    }
    return pld_linear(b, "proj_out", hidden, width, pld_plus(pld_rows_like(b, x, hidden)));
}
