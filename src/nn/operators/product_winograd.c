/* SPDX-License-Identifier: Apache-2.0 */
/** 3×3 convolutions by Winograd's algorithm. */
#include "kernels/winograd.h"

#include "nn/operators/operators.h"

static bool accepts(const pld_run *run, const pld_operator *op) {
    /* Fewer channels leave panels empty, and the transforms cost more than the products. */
    enum { FEWEST = 16 };
    const pld_onednn_problem *p = &op->problem;
    if (run->settings.conv == PLD_CONV_DIRECT || p->kernel != 3 || p->stride != 1 || p->pad_before != 1 ||
        p->pad_after != 1) {
        return false;
    }
    return run->settings.conv == PLD_CONV_WINOGRAD || (p->in_channels >= FEWEST && p->out_channels >= FEWEST);
}

static pld_winograd winograd_of(const pld_run *run, const pld_operator *op) {
    const pld_onednn_problem *p = &op->problem;
    return (pld_winograd){pld_product_panels(run, op, 9), p->batch, p->height, p->width, p->accumulate, 0};
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
    pld_winograd_run(run->kernels, &conv, run->threads, pld_plan_data(run->plan, op->in), op->packed,
                     op->bias_values, pld_plan_data(run->plan, op->out), run->plan->scratch);
    return PLD_OK;
}

const pld_product_path pld_product_winograd = {"winograd", accepts, prepare, scratch, run_winograd};
