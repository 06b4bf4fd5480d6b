/* SPDX-License-Identifier: Apache-2.0 */
/** Linear layers by our own matrix product. */
#include "kernels/matrix.h"

#include <string.h>

#include "core/memory.h"
#include "nn/operators/operators.h"

static bool accepts(const pld_run *run, const pld_operator *op) {
    (void)run;
    return op->problem.kernel == 0;
}

static pld_matrix matrix_of(const pld_operator *op) {
    const pld_product_problem *p = &op->problem;
    return (pld_matrix){.weights = pld_product_panels(op, 1), .rows = p->batch * p->height * p->width};
}

static int threads_of(const pld_run *run, const pld_matrix *matrix) {
    const double work =
        (double)matrix->rows * (double)matrix->weights.columns * (double)matrix->weights.depth;
    return pld_product_threads(run, work);
}

static pld_status prepare(pld_run *run, pld_operator *op, pld_error *error) {
    const pld_matrix matrix = matrix_of(op);
    return pld_product_pack(run, op, &matrix.weights, error);
}

/** The output takes the input's place (pld_value.narrows). Rows then come out a piece at a time into a room,
 * and from there to where input rows stood that have been read. */
static bool is_in_place(const pld_plan *plan, const pld_operator *op) {
    return op->in != op->out && plan->values[op->out].narrows == op->in &&
           plan->values[op->out].offset == plan->values[op->in].offset;
}

enum { PIECE_ROWS = 1024 };

static size_t room_bytes(const pld_plan *plan, const pld_operator *op) {
    const size_t floats = (size_t)(PIECE_ROWS * op->problem.out_channels);
    return is_in_place(plan, op)
               ? (floats * sizeof(float) + PLD_ALIGNMENT - 1) / PLD_ALIGNMENT * PLD_ALIGNMENT
               : 0;
}

static size_t scratch(const pld_run *run, const pld_operator *op) {
    const pld_matrix matrix = matrix_of(op);
    return room_bytes(run->plan, op) + pld_matrix_scratch(run->kernels, &matrix, threads_of(run, &matrix));
}

static void run_in_place(const pld_run *run, const pld_operator *op, pld_matrix matrix) {
    const pld_plan *plan = run->plan;
    const int threads = threads_of(run, &matrix);
    const int64_t rows = matrix.rows;
    float *room = plan->scratch;
    for (int64_t row = 0; row < rows; row += matrix.rows) {
        matrix.rows = rows - row < PIECE_ROWS ? rows - row : PIECE_ROWS;
        pld_matrix_run(
            run->kernels, &matrix, threads,
            &(pld_matrix_operands){.left = pld_plan_data(plan, op->in) + row * matrix.weights.depth,
                                   .packed = op->packed,
                                   .bias = op->bias_values,
                                   .out = room,
                                   .scratch = (char *)plan->scratch + room_bytes(plan, op)});
        memcpy(pld_plan_data(plan, op->out) + row * matrix.weights.columns, room,
               (size_t)(matrix.rows * matrix.weights.columns) * sizeof *room);
    }
}

static pld_status run_matrix(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_matrix matrix = matrix_of(op);
    const pld_plan *plan = run->plan;
    if (is_in_place(plan, op)) {
        run_in_place(run, op, matrix);
        return PLD_OK;
    }
    const pld_value *out = &plan->values[op->out];
    const int64_t step = pld_slice_step(plan, op->gate);
    pld_matrix_run(run->kernels, &matrix, threads_of(run, &matrix),
                   &(pld_matrix_operands){.left = pld_plan_data(plan, op->in),
                                          .packed = op->packed,
                                          .bias = op->bias_values,
                                          .residual = pld_plan_data_or_null(plan, op->residual),
                                          .out = pld_plan_data(plan, op->out),
                                          .scratch = plan->scratch,
                                          .gate = pld_slice_at(run, op->gate, out, 0),
                                          .gate_rows = step ? out->height * out->width : 0,
                                          .gate_step = step});
    return PLD_OK;
}

const pld_product_path pld_product_matrix = {"matrix", accepts, prepare, scratch, run_matrix};
