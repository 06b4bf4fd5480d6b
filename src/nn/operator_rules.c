/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/operator_rules.h"

static const pld_value *value_of(const pld_plan *plan, pld_value_id id) {
    return &plan->values[id];
}

static int64_t tokens_of(const pld_value *value) {
    return value->height * value->width;
}

static int64_t item_floats(const pld_value *value) {
    return tokens_of(value) * value->channels;
}

/** A value of so many channels with one token a row, or none. */
static bool is_vector(const pld_plan *plan, pld_value_id id, int64_t batch, int64_t tokens,
                      int64_t channels) {
    const pld_value *value = id == PLD_NO_VALUE ? NULL : value_of(plan, id);
    return !value || (value->batch == batch && tokens_of(value) == tokens && value->channels == channels);
}

static bool is_slice(const pld_plan *plan, pld_slice slice, int64_t floats) {
    return slice.value == PLD_NO_VALUE ||
           (slice.first >= 0 && slice.first + floats <= item_floats(value_of(plan, slice.value)));
}

static bool same_tokens(const pld_value *a, const pld_value *b) {
    return a->batch == b->batch && tokens_of(a) == tokens_of(b);
}

static bool same_shape(const pld_value *a, const pld_value *b) {
    return same_tokens(a, b) && a->channels == b->channels;
}

/** The side of a convolution's output. */
static int64_t out_side(const pld_product_problem *p, int64_t side) {
    return (side + p->pad_before + p->pad_after - p->kernel) / p->stride + 1;
}

const char *pld_product_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_product *product = &op->product;
    const pld_product_problem *p = &product->problem;
    const pld_value *in = value_of(plan, op->in), *out = value_of(plan, op->out);
    const int64_t channels = p->out_channels / (product->glu.on ? 2 : 1);
    if (p->in_channels != in->channels || channels != out->channels || p->batch != in->batch ||
        p->batch != out->batch) {
        return "channels or rows";
    }
    if (p->groups && (p->in_channels % p->groups != 0 || p->out_channels % p->groups != 0)) {
        return "groups";
    }
    if (p->kernel == 0 ? tokens_of(in) != tokens_of(out)
                       : out_side(p, p->height) != out->height || out_side(p, p->width) != out->width) {
        return "tokens of the output";
    }
    if (!is_vector(plan, product->factors, p->batch, 2, p->in_channels) ||
        !is_vector(plan, product->vector, p->batch, 1, p->out_channels)) {
        return "factors or vector";
    }
    if (product->residual != PLD_NO_VALUE && !same_shape(value_of(plan, product->residual), out)) {
        return "residual";
    }
    return is_slice(plan, product->gate, p->out_channels) ? NULL : "gate";
}

const char *pld_group_norm_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_value *in = value_of(plan, op->in);
    const bool factors = op->kind == PLD_OPERATOR_GROUP_NORM_FACTORS;
    if (op->norm.groups < 1 || in->channels % op->norm.groups != 0) {
        return "groups";
    }
    return factors ? is_vector(plan, op->out, in->batch, 2, in->channels) ? NULL : "factors"
                   : pld_same_misfit(plan, op);
}

const char *pld_token_norm_misfit(const pld_plan *plan, const pld_operator *op) {
    const int64_t channels = value_of(plan, op->in)->channels;
    if (op->norm.residual != PLD_NO_VALUE && op->norm.residual != op->out) {
        return "residual";
    }
    return is_slice(plan, op->norm.scale, channels) && is_slice(plan, op->norm.shift, channels) &&
                   is_slice(plan, op->norm.gate, channels)
               ? pld_same_misfit(plan, op)
               : "scale, shift or gate";
}

const char *pld_rotation_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_rotation *r = &op->rotation;
    const pld_value *x = value_of(plan, op->in);
    if (r->heads < 1 || x->channels % r->heads != 0 || r->width > x->channels / r->heads ||
        r->width % 2 != 0) {
        return "heads or rotated width";
    }
    if (r->width > 0 && plan->constants[r->constant].floats != (size_t)(tokens_of(x) * r->width)) {
        return "table of angles";
    }
    return pld_same_misfit(plan, op);
}

const char *pld_same_misfit(const pld_plan *plan, const pld_operator *op) {
    return same_shape(value_of(plan, op->in), value_of(plan, op->out)) ? NULL : "output";
}

const char *pld_depthwise_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_value *in = value_of(plan, op->in), *out = value_of(plan, op->out);
    return same_tokens(in, out) && in->channels == out->channels * (op->depthwise.gated ? 2 : 1) ? NULL
                                                                                                 : "output";
}

const char *pld_gate_misfit(const pld_plan *plan, const pld_operator *op) {
    return same_shape(value_of(plan, op->gate.second), value_of(plan, op->in)) ? pld_same_misfit(plan, op)
                                                                               : "gate";
}

const char *pld_gated_add_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_value *in = value_of(plan, op->in), *out = value_of(plan, op->out);
    return tokens_of(in) != tokens_of(out) || in->channels != out->channels ? "output"
           : is_slice(plan, op->gated, out->channels)                       ? NULL
                                                                            : "gate";
}

/** Of heads [3, d] in one value. */
static const char *interleaved_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_attention_description *as = &op->attention.as;
    const pld_value *in = value_of(plan, op->in), *out = value_of(plan, op->out);
    return as->heads >= 1 && in->channels % (3 * (int64_t)as->heads) == 0 &&
                   in->channels == 3 * out->channels && same_tokens(in, out) && as->key == op->in &&
                   as->value == op->in
               ? NULL
               : "query, key, value or output";
}

const char *pld_attention_misfit(const pld_plan *plan, const pld_operator *op) {
    if (op->attention.as.interleaved) {
        return interleaved_misfit(plan, op);
    }
    const pld_attention_description *as = &op->attention.as;
    const pld_value *query = value_of(plan, op->in), *out = value_of(plan, op->out);
    const int64_t key_heads = as->key_heads ? as->key_heads : as->heads;
    if (as->heads < 1 || query->channels % as->heads != 0 || as->heads % key_heads != 0 ||
        tokens_of(query) != tokens_of(out) || query->channels != out->channels) {
        return "query, heads or output";
    }
    const int64_t width = query->channels / as->heads * key_heads;
    int64_t keys = 0;
    if (as->key != PLD_NO_VALUE) {
        const pld_value *key = value_of(plan, as->key);
        keys = tokens_of(key);
        if (key->channels != width || !same_shape(key, value_of(plan, as->value)) ||
            key->batch != query->batch) {
            return "key or value";
        }
    }
    if (as->mask != PLD_NO_VALUE && (keys == 0 || value_of(plan, as->mask)->channels != keys)) {
        return "mask";
    }
    if (as->relative_bias != PLD_NO_VALUE &&
        (keys != tokens_of(query) || value_of(plan, as->relative_bias)->channels != 2 * keys - 1)) {
        return "relative bias";
    }
    return as->first_text_token + as->text_tokens > keys && as->text_tokens ? "tokens of the text" : NULL;
}

const char *pld_concat_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_value *a = value_of(plan, op->in), *out = value_of(plan, op->out);
    bool fits = out->channels >= a->channels;
    if (op->second != PLD_NO_VALUE) {
        const pld_value *b = value_of(plan, op->second);
        fits = same_tokens(a, b) && out->channels == a->channels + b->channels;
    }
    return fits && same_tokens(a, out) ? NULL : "output";
}

const char *pld_concat_tokens_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_value *a = value_of(plan, op->in), *b = value_of(plan, op->second);
    const pld_value *out = value_of(plan, op->out);
    return a->batch == out->batch && b->batch == out->batch && a->channels == out->channels &&
                   b->channels == out->channels && tokens_of(out) == tokens_of(a) + tokens_of(b)
               ? NULL
               : "output";
}

const char *pld_pad_tokens_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_value *in = value_of(plan, op->in), *out = value_of(plan, op->out);
    return in->batch == out->batch && in->channels == out->channels && tokens_of(in) <= tokens_of(out)
               ? NULL
               : "output";
}

const char *pld_upsample_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_value *in = value_of(plan, op->in), *out = value_of(plan, op->out);
    return in->batch == out->batch && in->channels == out->channels ? NULL : "output";
}

const char *pld_copy_rows_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_value *in = value_of(plan, op->in), *out = value_of(plan, op->out);
    return tokens_of(in) == tokens_of(out) && in->channels == out->channels ? NULL : "output";
}

const char *pld_join_rows_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_value *in = value_of(plan, op->in), *second = value_of(plan, op->second);
    return tokens_of(in) == tokens_of(second) && in->channels == second->channels
               ? pld_copy_rows_misfit(plan, op)
               : "rows that left a block out";
}

const char *pld_take_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_value *in = value_of(plan, op->in), *out = value_of(plan, op->out);
    return in->batch == out->batch && op->first >= 0 && op->first + item_floats(out) <= item_floats(in)
               ? NULL
               : "output";
}

const char *pld_take_channels_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_value *in = value_of(plan, op->in), *out = value_of(plan, op->out);
    return same_tokens(in, out) && op->first >= 0 && op->first + out->channels <= in->channels ? NULL
                                                                                               : "output";
}

/** A channel of the small picture stands for a whole number of the opened ones. */
static bool shuffles(const pld_value *small, const pld_value *large) {
    const int64_t factor = small->width > 0 ? large->width / small->width : 0;
    const int64_t opened = large->channels * factor * factor;
    return factor >= 1 && large->batch == small->batch && large->height == factor * small->height &&
           large->width == factor * small->width && opened % small->channels == 0;
}

const char *pld_shuffle_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_value *in = value_of(plan, op->in), *out = value_of(plan, op->out);
    if (op->residual != PLD_NO_VALUE && !same_shape(value_of(plan, op->residual), out)) {
        return "residual";
    }
    return (op->kind == PLD_OPERATOR_PIXEL_SHUFFLE ? shuffles(in, out) : shuffles(out, in)) ? NULL : "output";
}

const char *pld_patches_misfit(const pld_plan *plan, const pld_operator *op) {
    const bool cuts = op->kind == PLD_OPERATOR_PATCHIFY;
    const pld_value *picture = value_of(plan, cuts ? op->in : op->out);
    const pld_value *tokens = value_of(plan, cuts ? op->out : op->in);
    const int64_t side = op->patches.patch;
    return picture->batch == tokens->batch && tokens->height * side == picture->height &&
                   tokens->width * side == picture->width &&
                   tokens->channels == picture->channels * side * side
               ? NULL
               : "patches";
}

const char *pld_add_table_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_value *in = value_of(plan, op->in), *out = value_of(plan, op->out);
    return in->batch == out->batch && tokens_of(in) == 1 &&
                   (in->channels == out->channels || in->channels == item_floats(out))
               ? NULL
               : "output";
}

const char *pld_add_constant_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_value *in = value_of(plan, op->in);
    return plan->constants[op->constant].floats == (size_t)item_floats(in) ? pld_same_misfit(plan, op)
                                                                           : "table";
}

const char *pld_add_middle_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_value *in = value_of(plan, op->in);
    const int64_t side = op->square.side;
    return in->height <= side && in->width <= side ? pld_same_misfit(plan, op) : "side of the table";
}

const char *pld_add_outside_misfit(const pld_plan *plan, const pld_operator *op) {
    return tokens_of(value_of(plan, op->out)) == 1 ? pld_same_misfit(plan, op) : "output";
}

const char *pld_relative_bias_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_value *out = value_of(plan, op->out);
    return out->batch == 1 && out->width == 1 && out->channels % 2 == 1 ? NULL : "output";
}

const char *pld_pool_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_value *in = value_of(plan, op->in);
    return is_vector(plan, op->out, in->batch, 1, in->channels) ? NULL : "output";
}

const char *pld_freeu_misfit(const pld_plan *plan, const pld_operator *op) {
    const pld_value *in = value_of(plan, op->in), *skip = value_of(plan, op->freeu.skip);
    return same_tokens(in, skip) && op->in == op->out ? NULL : "skip";
}
