/* SPDX-License-Identifier: Apache-2.0 */
/** 3×3 convolutions by Winograd's algorithm. */
#include "kernels/winograd/winograd.h"

#include "backends/cpu/product.h"

/** In which it would be a direct convolution. */
static pld_product_type type_of(const pld_executable *e, const pld_operator *op) {
    return pld_product_takes_int8(&e->settings, op)   ? PLD_PRODUCT_INT8
           : pld_product_takes_bf16(&e->settings, op) ? PLD_PRODUCT_BF16
                                                      : PLD_PRODUCT_F32;
}

static bool accepts(const pld_executable *e, const pld_operator *op) {
    enum { FEWEST = 16 }; /* with fewer input channels the transforms cost more than the products */
    const pld_product_problem *p = &op->product.problem;
    if (e->settings.conv == PLD_CONV_DIRECT || p->kernel != 3 || p->stride != 1 || p->pad_before != 1 ||
        p->pad_after != 1) {
        return false;
    }
    return e->settings.conv == PLD_CONV_WINOGRAD ||
           (p->in_channels >= FEWEST &&
            pld_winograd_is_faster(pld_cpu_kernels(e)->isa, type_of(e, op), p->height, p->width));
}

static pld_winograd winograd_of(const pld_executable *e, const pld_operator *op) {
    const pld_product_problem *p = &op->product.problem;
    const pld_value *source = pld_value_at(e, op->in);
    pld_panels weights = pld_product_panels(op, 9);
    if (weights.type == PLD_PANEL_F32 && pld_product_takes_bf16(&e->settings, op)) {
        weights.type = PLD_PANEL_BF16; /* half the memory, and no less exact than that type's own path */
    }
    return (pld_winograd){.weights = weights,
                          .batch = p->batch,
                          .height = p->height,
                          .width = p->width,
                          .source_height = source->height,
                          .source_width = source->width,
                          .input = pld_product_input(op)};
}

static pld_status prepare(pld_executable *e, const pld_operator *op, pld_error *error) {
    const pld_winograd conv = winograd_of(e, op);
    return pld_product_pack(e, op, &conv.weights, error);
}

static size_t scratch(const pld_executable *e, const pld_operator *op) {
    const pld_winograd conv = winograd_of(e, op);
    return pld_winograd_scratch(pld_cpu_kernels(e), &conv, pld_cpu_threads(e));
}

static pld_status run_winograd(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_winograd conv = winograd_of(e, op);
    const pld_convolution_operands operands = pld_product_operands(e, op);
    pld_winograd_run(pld_cpu_kernels(e), &conv, pld_cpu_threads(e), &operands);
    return PLD_OK;
}

const pld_product_path pld_product_winograd = {"winograd", false, accepts, prepare, scratch, run_winograd};
