/* SPDX-License-Identifier: Apache-2.0 */
/** Linear layers by our own matrix product, of floats and of 8-bit integers: the two paths differ in what they accept and in
 * the type of the panels. */
#include "kernels/matrix.h"

#include <string.h>

#include "backends/cpu/product.h"
#include "core/memory.h"

static bool accepts(const pld_executable *e, const pld_operator *op) {
    (void)e;
    return op->product.problem.kernel == 0;
}

static bool accepts_int8(const pld_executable *e, const pld_operator *op) {
    return op->product.problem.kernel == 0 && pld_product_takes_int8(&e->settings, op);
}

static pld_matrix matrix_of(const pld_executable *e, const pld_operator *op) {
    const pld_product_problem *p = &op->product.problem;
    const bool int8 = pld_cpu_operator_of(e, op)->path == &pld_product_int8;
    return (pld_matrix){.weights = int8 ? pld_product_int8_panels(op) : pld_product_stored_panels(op),
                        .rows = p->batch * p->height * p->width,
                        .gating = pld_product_gating(op)};
}

static int threads_of(const pld_executable *e, const pld_matrix *matrix) {
    const double work =
        (double)matrix->rows * (double)matrix->weights.columns * (double)matrix->weights.depth;
    return pld_product_threads(e, work);
}

static pld_status prepare(pld_executable *e, const pld_operator *op, pld_error *error) {
    const pld_matrix matrix = matrix_of(e, op);
    return pld_product_pack(e, op, &matrix.weights, error);
}

/** The output takes the input's place (pld_value.narrows). Rows then come out a piece at a time into a room,
 * and from there to where input rows stood that have been read. */
static bool is_in_place(const pld_plan *plan, const pld_operator *op) {
    return op->in != op->out && plan->values[op->out].narrows == op->in &&
           plan->values[op->out].offset == plan->values[op->in].offset;
}

enum { PIECE_ROWS = 1024 };

static size_t room_bytes(const pld_plan *plan, const pld_operator *op) {
    const size_t floats = (size_t)(PIECE_ROWS * op->product.problem.out_channels);
    return is_in_place(plan, op)
               ? (floats * sizeof(float) + PLD_ALIGNMENT - 1) / PLD_ALIGNMENT * PLD_ALIGNMENT
               : 0;
}

static size_t scratch(const pld_executable *e, const pld_operator *op) {
    const pld_matrix matrix = matrix_of(e, op);
    return room_bytes(e->plan, op) + pld_matrix_scratch(pld_cpu_kernels(e), &matrix, threads_of(e, &matrix));
}

static void run_in_place(const pld_executable *e, const pld_operator *op, pld_matrix matrix) {
    const int threads = threads_of(e, &matrix);
    const int64_t rows = matrix.rows;
    float *room = pld_cpu_scratch(e);
    for (int64_t row = 0; row < rows; row += matrix.rows) {
        matrix.rows = rows - row < PIECE_ROWS ? rows - row : PIECE_ROWS;
        pld_matrix_run(
            pld_cpu_kernels(e), &matrix, threads,
            &(pld_matrix_operands){.left = pld_cpu_data(e, op->in) + row * matrix.weights.depth,
                                   .packed = pld_cpu_operator_of(e, op)->packed.data,
                                   .bias = pld_cpu_operator_of(e, op)->bias,
                                   .out = room,
                                   .scratch = (char *)pld_cpu_scratch(e) + room_bytes(e->plan, op)});
        memcpy(pld_cpu_data(e, op->out) + row * matrix.weights.columns, room,
               (size_t)(matrix.rows * matrix.weights.columns) * sizeof *room);
    }
}

static pld_status run_matrix(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_matrix matrix = matrix_of(e, op);
    if (is_in_place(e->plan, op)) {
        run_in_place(e, op, matrix);
        return PLD_OK;
    }
    const pld_value *out = pld_value_at(e, op->out);
    const int64_t step = pld_slice_step(e->plan, op->product.gate);
    pld_matrix_run(pld_cpu_kernels(e), &matrix, threads_of(e, &matrix),
                   &(pld_matrix_operands){.left = pld_cpu_data(e, op->in),
                                          .packed = pld_cpu_operator_of(e, op)->packed.data,
                                          .bias = pld_cpu_operator_of(e, op)->bias,
                                          .residual = pld_cpu_data_or_null(e, op->product.residual),
                                          .out = pld_cpu_data(e, op->out),
                                          .scratch = pld_cpu_scratch(e),
                                          .gate = pld_slice_at(e, op->product.gate, out, 0),
                                          .gate_rows = step ? out->height * out->width : 0,
                                          .gate_step = step});
    return PLD_OK;
}

const pld_product_path pld_product_matrix = {"matrix", false, accepts, prepare, scratch, run_matrix};
const pld_product_path pld_product_int8 = {"int8", false, accepts_int8, prepare, scratch, run_matrix};
