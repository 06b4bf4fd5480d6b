/* SPDX-License-Identifier: Apache-2.0 */
/* Norms, over a picture's groups of channels or over each token's channels. */
#include "nn/build_internal.h"

/** Append a group norm of either kind from x to out. */
static void group_norm(pld_builder *b, pld_operator_kind kind, const char *name, pld_value_id x,
                       pld_value_id out, int64_t groups, double epsilon, bool silu) {
    const int64_t channels = pld_build_channels(b, x);
    if (!pld_build_failed(b) && (groups < 1 || channels % groups != 0)) {
        b->status = pld_fail(b->error, PLD_ERROR_FORMAT,
                             "%s: %lld channels of '%s.%s' cannot be divided into %lld norm groups, as the "
                             "configuration wants",
                             pld_parameters_path(b->plan->parameters), (long long)channels, b->scope, name,
                             (long long)groups);
    }
    pld_operator op = pld_build_operator(b, kind, name, x, out);
    op.norm.groups = groups;
    op.norm.epsilon = (float)epsilon;
    op.norm.silu = silu;
    op.norm.weight = pld_build_bind(b, op.name, ".weight", 1, &channels);
    op.norm.bias = pld_build_bind(b, op.name, ".bias", 1, &channels);
    pld_build_append(b, &op);
}

pld_value_id pld_group_norm_of(pld_builder *b, const char *name, pld_value_id x, int64_t groups,
                               double epsilon, bool silu) {
    const pld_value_id out = pld_build_like(b, x, pld_build_channels(b, x));
    group_norm(b, PLD_OPERATOR_GROUP_NORM, name, x, out, groups, epsilon, silu);
    return out;
}

pld_value_id pld_group_norm_factors(pld_builder *b, const char *name, pld_value_id x, int64_t groups,
                                    double epsilon) {
    const pld_value_id out =
        pld_build_failed(b) ? PLD_NO_VALUE : pld_build_rows_of(b, x, 2, 1, pld_build_channels(b, x));
    group_norm(b, PLD_OPERATOR_GROUP_NORM_FACTORS, name, x, out, groups, epsilon, false);
    return out;
}

/** A norm of x's tokens into a value of its own, to be appended. */
static pld_operator token_norm(pld_builder *b, pld_operator_kind kind, const char *name, pld_value_id x,
                               double epsilon) {
    const pld_value_id out = pld_build_like(b, x, pld_build_channels(b, x));
    pld_operator op = pld_build_operator(b, kind, name, x, out);
    op.norm.epsilon = (float)epsilon;
    return op;
}

pld_value_id pld_layer_norm(pld_builder *b, const char *name, pld_value_id x, double epsilon) {
    const int64_t channels = pld_build_channels(b, x);
    pld_operator op = token_norm(b, PLD_OPERATOR_LAYER_NORM, name, x, epsilon);
    op.norm.weight = pld_build_bind(b, op.name, ".weight", 1, &channels);
    op.norm.bias = pld_build_bind(b, op.name, ".bias", 1, &channels);
    pld_build_append(b, &op);
    return op.out;
}

pld_value_id pld_rms_norm_with(pld_builder *b, const char *name, pld_value_id x, double epsilon,
                               pld_rms_norm_options options) {
    const int64_t channels = pld_build_channels(b, x);
    pld_operator op;
    if (options.into == PLD_NO_VALUE) {
        op = token_norm(b, PLD_OPERATOR_RMS_NORM, name, x, epsilon);
    } else {
        op = pld_build_operator(b, PLD_OPERATOR_RMS_NORM, name, x, options.into);
        op.norm.epsilon = (float)epsilon;
        op.norm.residual = options.into;
    }
    op.norm.plus_one = options.plus_one;
    op.norm.activated = options.activated;
    op.norm.activation = options.activation;
    op.norm.scale = options.scale;
    op.norm.gate = options.gate;
    op.norm.weight = pld_build_bind(b, op.name, options.weight ? options.weight : ".weight", 1, &channels);
    op.norm.bias = options.bias ? pld_build_bind(b, op.name, ".bias", 1, &channels) : NULL;
    pld_build_append(b, &op);
    return op.out;
}

pld_value_id pld_rms_norm(pld_builder *b, const char *name, pld_value_id x, double epsilon) {
    return pld_rms_norm_with(b, name, x, epsilon, PLD_RMS_NORM);
}

pld_value_id pld_layer_norm_modulated(pld_builder *b, pld_value_id x, double epsilon, pld_slice scale,
                                      pld_slice shift) {
    pld_operator op = token_norm(b, PLD_OPERATOR_LAYER_NORM, "", x, epsilon);
    op.norm.scale = scale;
    op.norm.shift = shift;
    pld_build_append(b, &op);
    return op.out;
}
