/* SPDX-License-Identifier: Apache-2.0 */
/** Linear layers and convolutions: the choice of a path, and what the paths share. */
#include "backends/cpu/product.h"
#include "core/memory.h"
#include "core/parallel.h"

static const pld_product_path *const paths[] = {&pld_product_grouped,     &pld_product_int8,
                                                &pld_product_direct_int8, &pld_product_bf16,
                                                &pld_product_split,       &pld_product_streamed,
                                                &pld_product_matrix,      &pld_product_winograd,
                                                &pld_product_direct,      NULL};

static pld_status prepare_product(pld_executable *e, const pld_operator *op, pld_error *error) {
    const pld_product_path *const *path = paths;
    const bool grouped = op->product.problem.groups > 1;
    while (*path && ((*path)->grouped != grouped || !(*path)->accepts(e, op))) {
        path++;
    }
    if (!*path) { /* only of groups: the last of the others accepts everything */
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "'%s': convolutions of groups of channels are not supported", op->name);
    }
    pld_cpu_operator *own = pld_cpu_operator_of(e, op);
    own->path = *path;
    if (op->product.glu.on) {
        pld_gate_kind kind;
        PLD_TRY(pld_cpu_gate_kind(op->product.glu.activation, op->name, &kind, error));
    }
    PLD_TRY(own->path->prepare(e, op, error));
    PLD_TRY(pld_cpu_keep_weight(e, op, op->product.norm, error));
    return pld_cpu_keep_bias(e, op, op->product.bias, error);
}

static size_t product_scratch(const pld_executable *e, const pld_operator *op) {
    return pld_cpu_operator_of(e, op)->path->scratch(e, op);
}

static pld_status run_product(pld_executable *e, const pld_operator *op, pld_error *error) {
    return pld_cpu_operator_of(e, op)->path->run(e, op, error);
}

const pld_operator_code pld_cpu_product = {prepare_product, product_scratch, run_product};

pld_input_change pld_product_input(const pld_operator *op) {
    const pld_product *product = &op->product;
    return product->factors != PLD_NO_VALUE ? PLD_INPUT_SCALED
           : product->norm                  ? PLD_INPUT_RMS
           : product->silu                  ? PLD_INPUT_SILU
                                            : PLD_INPUT_KEPT;
}

pld_convolution_operands pld_product_operands(const pld_executable *e, const pld_operator *op) {
    const int64_t channels = op->product.problem.in_channels;
    const float *factors = pld_cpu_data_or_null(e, op->product.factors);
    return (pld_convolution_operands){.x = pld_cpu_data(e, op->in),
                                      .scale = factors ? factors : pld_cpu_operator_of(e, op)->weight,
                                      .shift = factors ? factors + channels : NULL,
                                      .factor_step = factors ? 2 * channels : 0,
                                      .epsilon = op->product.norm_epsilon,
                                      .packed = pld_cpu_operator_of(e, op)->packed.data,
                                      .bias = pld_cpu_operator_of(e, op)->bias,
                                      .vector = pld_cpu_data_or_null(e, op->product.vector),
                                      .gate = pld_slice_at(e, op->product.gate, pld_value_at(e, op->out), 0),
                                      .gate_step = pld_slice_step(e->plan, op->product.gate),
                                      .residual = pld_cpu_data_or_null(e, op->product.residual),
                                      .out = pld_cpu_data(e, op->out),
                                      .scratch = pld_cpu_scratch(e)};
}

pld_panels pld_product_panels(const pld_operator *op, int64_t taps) {
    pld_panel_type type = PLD_PANEL_F32;
    const pld_parameter *weight = op->product.weight, *gate = op->product.glu.gate;
    /* two weights of different types are both kept in the larger one */
    switch (gate && pld_parameter_dtype(gate) != pld_parameter_dtype(weight) ? PLD_DTYPE_F32
                                                                             : pld_parameter_dtype(weight)) {
    case PLD_DTYPE_F16:
    case PLD_DTYPE_F8_E4M3: /* every value of 8 bits is one of float16's */
    case PLD_DTYPE_F8_E5M2:
        type = PLD_PANEL_F16;
        break;
    case PLD_DTYPE_BF16:
        type = PLD_PANEL_BF16;
        break;
    default:
        break;
    }
    const pld_product_problem *p = &op->product.problem;
    return (pld_panels){.type = type,
                        .columns = p->out_channels,
                        .depth = p->in_channels,
                        .taps = taps,
                        .halves = op->product.glu.on};
}

/** Its rows are in the file one after the other, or it is changed and they are made. */
static bool can_be_kept(const pld_parameter *weight) {
    return pld_parameter_is_streamable(weight) || pld_parameter_is_changed(weight);
}

pld_panels pld_product_stored_panels(const pld_operator *op) {
    pld_panels panels = pld_product_panels(op, 1);
    const pld_parameter *weight = op->product.weight, *gate = op->product.glu.gate;
    const pld_dtype stored = pld_parameter_kept_dtype(weight);
    if (pld_panels_keep(stored, panels.depth) && can_be_kept(weight) &&
        (!gate || (pld_parameter_kept_dtype(gate) == stored && can_be_kept(gate)))) {
        panels.type = PLD_PANEL_STORED;
        panels.stored = stored;
        panels.scale[0] = pld_parameter_scale(weight);
        panels.scale[1] = gate ? pld_parameter_scale(gate) : panels.scale[0];
    }
    return panels;
}

pld_panels pld_product_int8_panels(const pld_operator *op) {
    pld_panels panels = pld_product_panels(op, 1);
    panels.type = PLD_PANEL_INT8;
    return panels;
}

bool pld_product_takes_int8(const pld_product_settings *settings, const pld_operator *op) {
    enum { FEWEST = 8 };
    const pld_product_problem *p = &op->product.problem;
    return settings->int8 && !op->product.f32 && !op->product.above_8_bit && p->height * p->width > 1 &&
           p->in_channels >= FEWEST && p->out_channels >= FEWEST;
}

int64_t pld_product_row(const pld_operator *op, int64_t column) {
    const pld_product *product = &op->product;
    const int64_t half = product->problem.out_channels / 2;
    if (product->glu.gate) {
        return column < half ? column : column - half;
    }
    if (product->glu.gate_first) {
        return product->first_row + (column < half ? column + half : column - half);
    }
    return product->first_row + column;
}

pld_gating pld_product_gating(const pld_operator *op) {
    pld_gating gating = {PLD_GATE_GELU, false};
    if (op->product.glu.on) {
        (void)pld_cpu_gate_kind(op->product.glu.activation, op->name, &gating.kind,
                                NULL); /* preparing has asked */
    }
    return gating;
}

int pld_product_threads(const pld_executable *e, double multiplications) {
    return multiplications < 1e6 ? 1 : pld_cpu_threads(e);
}
