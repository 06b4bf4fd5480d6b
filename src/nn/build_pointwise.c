/* SPDX-License-Identifier: Apache-2.0 */
/* Activations, joins and copies. */
#include "nn/build_internal.h"

pld_value_id pld_activate(pld_builder *b, pld_value_id x, pld_activation activation) {
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_ACTIVATION, "", x, x);
    op.activation = activation;
    pld_build_append(b, &op);
    return x;
}

pld_value_id pld_gate_with(pld_builder *b, pld_value_id x, pld_value_id second, pld_activation activation) {
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_GATE, "", x, x);
    op.gate.second = second;
    op.gate.activation = activation;
    pld_build_append(b, &op);
    return x;
}

pld_value_id pld_concat(pld_builder *b, pld_value_id x, pld_value_id second) {
    const pld_value_id out = pld_build_like(b, x, pld_build_channels(b, x) + pld_build_channels(b, second));
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_CONCAT, "", x, out);
    op.second = second;
    pld_build_append(b, &op);
    return out;
}

pld_value_id pld_concat_tokens(pld_builder *b, pld_value_id x, pld_value_id second) {
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    const pld_value *first = &b->plan->values[x], *more = &b->plan->values[second];
    const int64_t tokens = first->height * first->width + more->height * more->width;
    const pld_value_id out = pld_build_rows_of(b, x, tokens, 1, first->channels);
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_CONCAT_TOKENS, "", x, out);
    op.second = second;
    pld_build_append(b, &op);
    return out;
}

pld_value_id pld_pad_tokens(pld_builder *b, const char *name, pld_value_id x, int64_t count) {
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    const pld_value from = b->plan->values[x];
    const pld_value_id out =
        count ? pld_build_rows_of(b, x, from.height * from.width + count, 1, from.channels) : x;
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_PAD_TOKENS, name, x, out);
    op.table = pld_build_bind(b, op.name, "", 2, (int64_t[]){1, from.channels}); /* it is there in any case */
    if (count) {
        pld_build_append(b, &op);
    }
    return out;
}

pld_value_id pld_zero_channels(pld_builder *b, pld_value_id x, int64_t count) {
    const pld_value_id out = pld_build_like(b, x, pld_build_channels(b, x) + count);
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_CONCAT, "", x, out);
    pld_build_append(b, &op);
    return out;
}

void pld_freeu(pld_builder *b, pld_value_id x, pld_value_id skip, int stage) {
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_FREEU, "", x, x);
    op.freeu = (pld_skip_scaling){skip, stage};
    pld_build_append(b, &op);
}

pld_value_id pld_upsample(pld_builder *b, pld_value_id x, int64_t height, int64_t width) {
    const pld_value_id out = pld_build_rows_of(b, x, height, width, pld_build_channels(b, x));
    pld_build_simple(b, PLD_OPERATOR_UPSAMPLE, "", x, out);
    return out;
}

pld_value_id pld_copy(pld_builder *b, pld_value_id x) {
    const pld_value_id out = pld_build_like(b, x, pld_build_channels(b, x));
    pld_build_simple(b, PLD_OPERATOR_COPY, "", x, out);
    return out;
}

pld_value_id pld_rows_like(pld_builder *b, pld_value_id x, pld_value_id other) {
    if (pld_build_failed(b) || b->plan->values[x].batch == b->plan->values[other].batch) {
        return x;
    }
    const pld_value from = b->plan->values[x];
    const pld_row_groups groups = b->plan->values[other].groups;
    if (groups.count < from.groups.count || from.groups.count == 0) {
        b->status = pld_fail(b->error, PLD_ERROR_INTERNAL,
                             "'%s': rows that have parted cannot be joined again", b->scope);
        return PLD_NO_VALUE;
    }
    const pld_value_id out = pld_build_value(b, groups, from.batch, from.height, from.width, from.channels);
    pld_build_simple(b, PLD_OPERATOR_COPY_ROWS, "", x, out);
    return out;
}

/** A copy of x with the rows of `groups`. */
static pld_value_id with_groups(pld_builder *b, pld_value_id x, pld_row_groups groups) {
    const pld_value from = b->plan->values[x];
    const pld_value_id out = pld_build_value(b, groups, from.batch, from.height, from.width, from.channels);
    pld_build_simple(b, PLD_OPERATOR_COPY_ROWS, "", x, out);
    return out;
}

pld_value_id pld_rows_of_pictures(pld_builder *b, pld_value_id x) {
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    const pld_row_groups groups = pld_picture_groups_after(b->sharing, b->plan->site_count);
    return groups.count == b->plan->values[x].groups.count ? x : with_groups(b, x, groups);
}

pld_value_id pld_rows_as(pld_builder *b, pld_value_id x, pld_value_id other) {
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    const pld_row_groups groups = b->plan->values[other].groups;
    return groups.count == b->plan->values[x].groups.count ? x : with_groups(b, x, groups);
}

/** Whether some row is in no group. */
static bool lacks_rows(const pld_row_groups *groups) {
    bool lacks = false;
    for (int row = 0; row < groups->rows; row++) {
        lacks = lacks || groups->of_row[row] < 0;
    }
    return lacks;
}

pld_value_id pld_rows_inside(pld_builder *b, pld_value_id x) {
    if (pld_build_failed(b) || !b->sharing) {
        return x;
    }
    const pld_row_groups inside = pld_row_groups_after(b->sharing, b->plan->site_count);
    if (!lacks_rows(&inside)) {
        return x;
    }
    const pld_row_groups groups = pld_row_groups_inside(&b->plan->values[x].groups, &inside);
    if (groups.count == 0) {
        b->status = pld_fail(b->error, PLD_ERROR_INTERNAL, "'%s': every row leaves this block out", b->scope);
        return PLD_NO_VALUE;
    }
    return with_groups(b, x, groups);
}

pld_value_id pld_rows_rejoined(pld_builder *b, pld_value_id x, pld_value_id before) {
    if (pld_build_failed(b) || !lacks_rows(&b->plan->values[x].groups)) {
        return x;
    }
    const pld_value from = b->plan->values[x];
    const pld_row_groups groups = pld_row_groups_rejoined(&from.groups, &b->plan->values[before].groups);
    const pld_value_id out = pld_build_value(b, groups, from.batch, from.height, from.width, from.channels);
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_JOIN_ROWS, "", x, out);
    op.second = before;
    pld_build_append(b, &op);
    return out;
}

pld_value_id pld_take_channels(pld_builder *b, pld_value_id x, int64_t first, int64_t channels) {
    const pld_value_id out = pld_build_like(b, x, channels);
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_TAKE_CHANNELS, "", x, out);
    op.first = first;
    pld_build_append(b, &op);
    return out;
}

pld_value_id pld_take(pld_builder *b, pld_value_id x, int64_t offset, int64_t height, int64_t width,
                      int64_t channels) {
    const pld_value_id out = pld_build_rows_of(b, x, height, width, channels);
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_TAKE, "", x, out);
    op.first = offset;
    pld_build_append(b, &op);
    return out;
}
