/* SPDX-License-Identifier: Apache-2.0 */
/* What stands at the ends of a network: ids, timesteps, patches, positions, tables, values from outside. */
#include <stdio.h>

#include "nn/build_internal.h"

pld_value_id pld_embed(pld_builder *b, const char *tokens, const char *positions, int64_t batch,
                       int64_t count, int64_t vocabulary, int64_t channels) {
    const pld_value_id out = pld_build_source(b, batch, count, 1, channels);
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_EMBED, tokens, PLD_NO_VALUE, out);
    char second[2 * PLD_PLAN_NAME] = "";
    snprintf(second, sizeof second, "%s.%s", b->scope, positions ? positions : "");
    op.embedding.tokens = pld_build_bind(b, op.name, ".weight", 2, (int64_t[]){vocabulary, channels});
    op.embedding.positions =
        positions ? pld_build_bind(b, second, ".weight", 2, (int64_t[]){count, channels}) : NULL;
    pld_build_append(b, &op);
    return out;
}

pld_value_id pld_embed_scaled(pld_builder *b, const char *tokens, double scale, int64_t batch, int64_t count,
                              int64_t vocabulary, int64_t channels) {
    const pld_value_id out = pld_build_source(b, batch, count, 1, channels);
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_EMBED, tokens, PLD_NO_VALUE, out);
    op.embedding.tokens = pld_build_bind(b, op.name, ".weight", 2, (int64_t[]){vocabulary, channels});
    op.embedding.scale = (float)scale;
    pld_build_append(b, &op);
    return out;
}

pld_value_id pld_timestep(pld_builder *b, int64_t batch, int64_t channels, bool flip_sin_to_cos,
                          double shift) {
    const pld_value_id out = pld_build_source(b, batch, 1, 1, channels);
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_TIMESTEP, "time_proj", PLD_NO_VALUE, out);
    op.timestep = (pld_timestep_embedding){flip_sin_to_cos, (float)shift, 0};
    pld_build_append(b, &op);
    return out;
}

pld_value_id pld_timestep_scaled(pld_builder *b, int64_t batch, int64_t channels, double scale) {
    const pld_value_id out = pld_build_source(b, batch, 1, 1, channels);
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_TIMESTEP, "time_proj", PLD_NO_VALUE, out);
    op.timestep = (pld_timestep_embedding){true, 0, (float)scale};
    pld_build_append(b, &op);
    return out;
}

int pld_build_outside(pld_builder *b, int count) {
    const int first = b->plan->outside_count;
    b->plan->outside_count += count;
    return first;
}

pld_value_id pld_add_outside(pld_builder *b, pld_value_id x) {
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_ADD_OUTSIDE, "", x, x);
    op.outside = pld_build_failed(b) ? 0 : pld_build_outside(b, 1);
    pld_build_append(b, &op);
    return x;
}

pld_value_id pld_take_outside(pld_builder *b, int64_t batch, int64_t tokens, int64_t channels) {
    const pld_value_id out = pld_build_source(b, batch, tokens, 1, channels);
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_TAKE_OUTSIDE, "", PLD_NO_VALUE, out);
    op.outside = pld_build_failed(b) ? 0 : pld_build_outside(b, 1);
    pld_build_append(b, &op);
    return out;
}

pld_value_id pld_pool(pld_builder *b, pld_value_id x, int32_t token) {
    const pld_value_id out = pld_build_rows_of(b, x, 1, 1, pld_build_channels(b, x));
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_POOL, "", x, out);
    op.token = token;
    pld_build_append(b, &op);
    return out;
}

pld_value_id pld_add_table(pld_builder *b, const char *name, pld_value_id x, int64_t rows, int64_t channels) {
    const pld_value_id out = pld_build_rows_of(b, x, rows, 1, channels);
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_ADD_TABLE, name, x, out);
    op.table = pld_build_bind(b, op.name, "", 2, (int64_t[]){rows, channels});
    pld_build_append(b, &op);
    return out;
}

pld_value_id pld_add_positions(pld_builder *b, pld_value_id x,
                               void (*fill)(const void *description, float *table), const void *description,
                               size_t description_bytes) {
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    const pld_value value = b->plan->values[x];
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_ADD_CONSTANT, "", x, x);
    op.constant = pld_build_constant(b, (size_t)(value.height * value.width * value.channels), fill,
                                     description, description_bytes);
    pld_build_append(b, &op);
    return x;
}

pld_value_id pld_add_middle(pld_builder *b, const char *name, pld_value_id x, int64_t side) {
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    const pld_value value = b->plan->values[x];
    if (value.height > side || value.width > side) {
        b->status = pld_fail(b->error, PLD_ERROR_INTERNAL,
                             "'%s' has %lld x %lld places, of %lld x %lld tokens", b->scope, (long long)side,
                             (long long)side, (long long)value.width, (long long)value.height);
        return PLD_NO_VALUE;
    }
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_ADD_MIDDLE, name, x, x);
    op.square.side = side;
    op.square.weight = pld_build_bind(b, op.name, "", 3, (int64_t[]){1, side * side, value.channels});
    pld_build_append(b, &op);
    return x;
}

/** Append a change between a picture and its patches. */
static pld_value_id patches(pld_builder *b, pld_operator_kind kind, pld_value_id x, pld_value_id out,
                            int patch, bool channels_inner) {
    pld_operator op = pld_build_operator(b, kind, "", x, out);
    op.patches = (pld_patches_description){patch, channels_inner};
    pld_build_append(b, &op);
    return out;
}

pld_value_id pld_patchify(pld_builder *b, pld_value_id x, int patch) {
    return pld_patchify_as(b, x, patch, false);
}

pld_value_id pld_patchify_as(pld_builder *b, pld_value_id x, int patch, bool channels_inner) {
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    const pld_value from = b->plan->values[x];
    if (from.height % patch != 0 || from.width % patch != 0) {
        b->status = pld_fail(b->error, PLD_ERROR_INTERNAL, "%lld x %lld does not divide into patches of %d",
                             (long long)from.width, (long long)from.height, patch);
        return PLD_NO_VALUE;
    }
    const int64_t depth = from.channels * patch * patch;
    const pld_value_id rows = pld_build_rows_of(b, x, from.height / patch, from.width / patch, depth);
    return patches(b, PLD_OPERATOR_PATCHIFY, x, rows, patch, channels_inner);
}

pld_value_id pld_patch_embed(pld_builder *b, const char *name, pld_value_id x, int64_t channels, int patch) {
    const int64_t depth = pld_build_failed(b) ? 0 : b->plan->values[x].channels;
    pld_product_options options = pld_at_an_end(PLD_BIAS);
    options.stored = (int64_t[]){channels, depth, patch, patch};
    return pld_linear(b, name, pld_patchify(b, x, patch), channels, options);
}

pld_value_id pld_unpatchify(pld_builder *b, pld_value_id x, int64_t channels, int patch,
                            bool channels_inner) {
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    const pld_value from = b->plan->values[x];
    const pld_value_id out = pld_build_rows_of(b, x, from.height * patch, from.width * patch, channels);
    return patches(b, PLD_OPERATOR_UNPATCHIFY, x, out, patch, channels_inner);
}

pld_value_id pld_relative_bias(pld_builder *b, const char *name, int64_t tokens, int64_t buckets,
                               int64_t most_distance, int64_t heads) {
    const pld_value_id out = pld_build_source(b, 1, heads, 1, 2 * tokens - 1);
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_RELATIVE_BIAS, name, PLD_NO_VALUE, out);
    op.positions.buckets = buckets;
    op.positions.most_distance = most_distance;
    op.positions.weight = pld_build_bind(b, op.name, ".weight", 2, (int64_t[]){buckets, heads});
    pld_build_append(b, &op);
    return out;
}

/** A channel of the small picture must stand for a whole number of the opened ones. */
static void check_shuffle(pld_builder *b, int64_t small, int64_t opened) {
    if (!pld_build_failed(b) && opened % small != 0) {
        b->status =
            pld_fail(b->error, PLD_ERROR_FORMAT,
                     "%s: %lld channels at '%s' do not divide the %lld of its pixels, as the "
                     "configuration wants",
                     pld_parameters_path(b->plan->parameters), (long long)small, b->scope, (long long)opened);
    }
}

pld_value_id pld_pixel_shuffle(pld_builder *b, pld_value_id x, int64_t factor, int64_t channels,
                               pld_value_id residual) {
    check_shuffle(b, pld_build_channels(b, x), factor * factor * channels);
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    const pld_value from = b->plan->values[x];
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_PIXEL_SHUFFLE, "", x, residual);
    op.residual = residual;
    if (residual == PLD_NO_VALUE) {
        op.out = pld_build_rows_of(b, x, factor * from.height, factor * from.width, channels);
    }
    pld_build_append(b, &op);
    return op.out;
}

pld_value_id pld_pixel_unshuffle(pld_builder *b, pld_value_id x, int64_t factor, int64_t channels,
                                 pld_value_id residual) {
    check_shuffle(b, channels, factor * factor * pld_build_channels(b, x));
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    const pld_value from = b->plan->values[x];
    if (from.height % factor != 0 || from.width % factor != 0) {
        b->status = pld_fail(b->error, PLD_ERROR_INTERNAL, "'%s': a picture of %lldx%lld has odd sides",
                             b->scope, (long long)from.width, (long long)from.height);
        return PLD_NO_VALUE;
    }
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_PIXEL_UNSHUFFLE, "", x, residual);
    op.residual = residual;
    if (residual == PLD_NO_VALUE) {
        op.out = pld_build_rows_of(b, x, from.height / factor, from.width / factor, channels);
    }
    pld_build_append(b, &op);
    return op.out;
}
