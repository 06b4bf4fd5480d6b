/* SPDX-License-Identifier: Apache-2.0 */
/** Linear layers by our own matrix product. */
#include "kernels/matrix.h"

#include "nn/operators/operators.h"

static bool accepts(const pld_run *run, const pld_operator *op) {
    (void)run;
    return op->problem.kernel == 0;
}

static pld_matrix matrix_of(const pld_operator *op) {
    const pld_onednn_problem *p = &op->problem;
    return (pld_matrix){pld_product_panels(op, 1), p->batch * p->height * p->width};
}

/** Waking a thread costs as much as a million multiplications. */
static int threads_of(const pld_run *run, const pld_matrix *matrix) {
    const double work =
        (double)matrix->rows * (double)matrix->weights.columns * (double)matrix->weights.depth;
    return work < 1e6 ? 1 : run->threads;
}

static pld_status prepare(pld_run *run, pld_operator *op, pld_error *error) {
    const pld_matrix matrix = matrix_of(op);
    return pld_product_pack(run, op, &matrix.weights, error);
}

static size_t scratch(const pld_run *run, const pld_operator *op) {
    const pld_matrix matrix = matrix_of(op);
    return pld_matrix_scratch(run->kernels, &matrix, threads_of(run, &matrix));
}

static pld_status run_matrix(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_matrix matrix = matrix_of(op);
    const pld_plan *plan = run->plan;
    pld_matrix_run(run->kernels, &matrix, threads_of(run, &matrix),
                   &(pld_matrix_operands){.left = pld_plan_data(plan, op->in),
                                          .packed = op->packed,
                                          .bias = op->bias_values,
                                          .residual = pld_plan_data_or_null(plan, op->residual),
                                          .out = pld_plan_data(plan, op->out),
                                          .scratch = plan->scratch});
    return PLD_OK;
}

const pld_product_path pld_product_matrix = {"matrix", accepts, prepare, scratch, run_matrix};
