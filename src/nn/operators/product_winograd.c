/* SPDX-License-Identifier: Apache-2.0 */
/** 3×3 convolutions by Winograd's algorithm. */
#include "kernels/winograd/winograd.h"

#include "nn/operators/operators.h"

static bool accepts(const pld_run *run, const pld_operator *op) {
    enum { FEWEST = 16 }; /* with fewer input channels the transforms cost more than the products */
    const pld_product_problem *p = &op->problem;
    if (run->settings.conv == PLD_CONV_DIRECT || p->kernel != 3 || p->stride != 1 || p->pad_before != 1 ||
        p->pad_after != 1) {
        return false;
    }
    return run->settings.conv == PLD_CONV_WINOGRAD ||
           (p->in_channels >= FEWEST &&
            pld_winograd_is_faster(run->kernels->isa, pld_product_takes_bf16(run, op), p->height, p->width));
}

static pld_winograd winograd_of(const pld_run *run, const pld_operator *op) {
    const pld_product_problem *p = &op->problem;
    const pld_value *source = &run->plan->values[op->in];
    pld_panels weights = pld_product_panels(op, 9);
    if (weights.type == PLD_PANEL_F32 && pld_product_takes_bf16(run, op)) {
        weights.type = PLD_PANEL_BF16; /* half the memory, and no less exact than that type's own path */
    }
    return (pld_winograd){.weights = weights,
                          .batch = p->batch,
                          .height = p->height,
                          .width = p->width,
                          .source_height = source->height,
                          .source_width = source->width,
                          .normalise = op->factors != PLD_NO_VALUE,
                          .silu = true};
}

static pld_status prepare(pld_run *run, pld_operator *op, pld_error *error) {
    const pld_winograd conv = winograd_of(run, op);
    return pld_product_pack(run, op, &conv.weights, error);
}

static size_t scratch(const pld_run *run, const pld_operator *op) {
    const pld_winograd conv = winograd_of(run, op);
    return pld_winograd_scratch(run->kernels, &conv, run->threads);
}

static pld_status run_winograd(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_winograd conv = winograd_of(run, op);
    const pld_convolution_operands operands = pld_product_operands(run, op);
    pld_winograd_run(run->kernels, &conv, run->threads, &operands);
    return PLD_OK;
}

const pld_product_path pld_product_winograd = {"winograd", accepts, prepare, scratch, run_winograd};
