/* SPDX-License-Identifier: Apache-2.0 */
/* Linear layers and convolutions. */
#include "nn/build_internal.h"

static const pld_conv_geometry no_kernel = {0, 0, 0, 0};

/** Bind the weights of a product from x; `channels` are those of its weight. */
static void bind_weights(pld_builder *b, pld_operator *op, int64_t in_channels, int64_t channels,
                         const pld_product_options *o) {
    pld_product *product = &op->product;
    const int64_t kernel = product->problem.kernel;
    const int64_t depth = in_channels / (o->groups ? o->groups : 1);
    const int64_t shape[4] = {o->gate_name  ? channels / 2
                              : o->all_rows ? o->all_rows
                                            : channels,
                              depth, kernel, kernel};
    const int rank = kernel || o->stored ? 4 : 2;
    if (o->gate_name) {
        const pld_operator gate = pld_build_operator(b, op->kind, o->gate_name, op->in, op->out);
        product->glu.gate = pld_build_bind(b, gate.name, ".weight", rank, shape);
    }
    product->weight = o->steps ? pld_build_bind_last_step(b, op->name, ".weight", shape, o->steps)
                               : pld_build_bind(b, op->name, ".weight", rank, o->stored ? o->stored : shape);
    product->bias = o->bias ? pld_build_bind(b, op->name, ".bias", 1, shape) : NULL;
}

/** Append a linear layer (geometry.kernel 0) or convolution from x to out. */
static pld_value_id product(pld_builder *b, const char *name, pld_value_id x, pld_value_id out,
                            pld_conv_geometry geometry, const pld_product_options *o) {
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    const pld_value from = b->plan->values[x], to = b->plan->values[out];
    const int64_t channels = to.channels * (o->glu ? 2 : 1);
    pld_operator op =
        pld_build_operator(b, geometry.kernel == 0 ? PLD_OPERATOR_LINEAR : PLD_OPERATOR_CONV, name, x, out);
    op.product.problem = (pld_product_problem){.batch = from.batch,
                                               .height = o->height ? o->height : from.height,
                                               .width = o->height ? o->width : from.width,
                                               .in_channels = from.channels,
                                               .out_height = to.height,
                                               .out_width = to.width,
                                               .out_channels = channels,
                                               .kernel = geometry.kernel,
                                               .stride = geometry.stride,
                                               .pad_before = geometry.pad_before,
                                               .pad_after = geometry.pad_after,
                                               .groups = o->groups};
    op.product.residual = o->residual;
    op.product.factors = o->factors;
    op.product.vector = o->vector;
    op.product.silu = o->silu;
    if (o->norm) {
        const pld_operator norm = pld_build_operator(b, op.kind, o->norm, x, out);
        op.product.norm = pld_build_bind(b, norm.name, "", 1, &from.channels);
        op.product.norm_epsilon = (float)o->norm_epsilon;
    }
    op.product.gate = o->gate;
    op.product.f32 = o->f32;
    op.product.above_8_bit = o->above_8_bit;
    op.product.glu.on = o->glu;
    op.product.glu.activation = o->activation;
    op.product.glu.gate_first = o->gate_first;
    op.product.first_row = o->row;
    bind_weights(b, &op, from.channels, channels, o);
    pld_build_append(b, &op);
    return out;
}

/** Whether the items of a gate lie as those of a value: each its own, or one for all. */
static bool gate_is_even(const pld_builder *b, pld_slice gate, pld_value_id into) {
    const pld_value *factors = &b->plan->values[gate.value], *value = &b->plan->values[into];
    return factors->batch == 1 || factors->batch == value->batch;
}

/** into += gate·linear(x), for items of the gate that lie otherwise than those of `into`. */
static pld_value_id gated_apart(pld_builder *b, const char *name, pld_value_id x,
                                pld_product_options options) {
    const pld_value_id into = options.residual;
    const pld_slice gate = options.gate;
    options.residual = PLD_NO_VALUE;
    options.into_residual = false;
    options.gate = PLD_NO_SLICE;
    const pld_value_id change = pld_linear(b, name, x, pld_build_channels(b, into), options);
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_GATED_ADD, "", change, into);
    op.gated = gate;
    pld_build_append(b, &op);
    return into;
}

/** Parts of a fused weight, and halves in the other order, are those of layers that have nothing beside the one weight. */
static bool rows_are_wrong(const pld_product_options *o, int64_t channels) {
    const bool alone = !o->bias && !o->groups && !o->stored && !o->gate_name;
    const int64_t rows = o->glu ? 2 * channels : channels;
    return (o->gate_first && !(alone && o->glu)) || o->row < 0 ||
           (o->all_rows ? !alone || rows > o->all_rows - o->row : o->row != 0);
}

pld_value_id pld_linear(pld_builder *b, const char *name, pld_value_id x, int64_t channels,
                        pld_product_options options) {
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    if (options.gate.value != PLD_NO_VALUE && !gate_is_even(b, options.gate, options.residual)) {
        return gated_apart(b, name, x, options);
    }
    if (rows_are_wrong(&options, channels)) {
        b->status = pld_fail(b->error, PLD_ERROR_INTERNAL,
                             "layer '%s.%s': a part of a fused weight lies within it and has no bias",
                             b->scope, name);
        return PLD_NO_VALUE;
    }
    const int64_t width = b->plan->values[x].channels;
    if (options.groups && (options.bias || width % options.groups != 0 || channels % options.groups != 0)) {
        b->status =
            pld_fail(b->error, PLD_ERROR_FORMAT,
                     "%s: %lld and %lld channels of '%s.%s' cannot be divided into %lld groups, as the "
                     "configuration wants",
                     pld_parameters_path(b->plan->parameters), (long long)width, (long long)channels,
                     b->scope, name, (long long)options.groups);
        return PLD_NO_VALUE;
    }
    const pld_value_id out = options.into_residual ? options.residual : pld_build_like(b, x, channels);
    if (options.narrow && !pld_build_failed(b)) {
        b->plan->values[out].narrows = x;
    }
    return product(b, name, x, out, no_kernel, &options);
}

static pld_value_id depthwise(pld_builder *b, const char *name, pld_value_id x,
                              const pld_depthwise_filters *filters, bool bias) {
    const int64_t channels = pld_build_channels(b, x), side = filters->side;
    if (!pld_build_failed(b) && filters->gated && channels % 2 != 0) {
        b->status =
            pld_fail(b->error, PLD_ERROR_FORMAT, "configuration: %lld channels of '%s.%s' have no halves",
                     (long long)channels, b->scope, name);
    }
    const pld_value_id out = pld_build_like(b, x, filters->gated ? channels / 2 : channels);
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_DEPTHWISE, name, x, out);
    op.depthwise = *filters;
    op.depthwise.weight = pld_build_bind(b, op.name, ".weight", 4, (int64_t[]){channels, 1, side, side});
    op.depthwise.bias = bias ? pld_build_bind(b, op.name, ".bias", 1, &channels) : NULL;
    pld_build_append(b, &op);
    return out;
}

pld_value_id pld_depthwise_conv(pld_builder *b, const char *name, pld_value_id x, bool gated) {
    return depthwise(b, name, x, &(pld_depthwise_filters){.side = 3, .gated = gated}, true);
}

pld_value_id pld_depthwise_plain(pld_builder *b, const char *name, pld_value_id x, int64_t side) {
    if (!pld_build_failed(b) && side != 3 && side != 5) {
        b->status = pld_fail(b->error, PLD_ERROR_UNSUPPORTED,
                             "%s: '%s.%s': expected filters with a side of 3 or 5, found %lld",
                             pld_parameters_path(b->plan->parameters), b->scope, name, (long long)side);
    }
    return depthwise(b, name, x, &(pld_depthwise_filters){.side = side}, false);
}

pld_value_id pld_conv(pld_builder *b, const char *name, pld_value_id x, int64_t channels, pld_conv_geometry g,
                      pld_product_options options) {
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    if (g.kernel == 1 && g.stride == 1) { /* of token-major data that is a linear layer */
        return pld_linear(b, name, x, channels, options);
    }
    const pld_value from = b->plan->values[x];
    const int64_t pad = g.pad_before + g.pad_after;
    const int64_t height = options.height ? options.height : from.height;
    const int64_t width = options.height ? options.width : from.width;
    const pld_value_id out = options.into_residual
                                 ? options.residual
                                 : pld_build_rows_of(b, x, (height + pad - g.kernel) / g.stride + 1,
                                                     (width + pad - g.kernel) / g.stride + 1, channels);
    return product(b, name, x, out, g, &options);
}
