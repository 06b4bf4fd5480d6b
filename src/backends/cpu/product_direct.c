/* SPDX-License-Identifier: Apache-2.0 */
/** Any convolution in float32, or of 8-bit integers, as a matrix product: a row of the left side is the patch of the input that an output
 * pixel sees, which is read when its block is multiplied (kernels/patches.h).
 *
 *      x [H, W, C]  →  patches [output pixels, kernel²·C]  ·  weightsᵀ [kernel²·C, N]  →  out
 *
 *  What stands around it is computed beside it: the input is normalised or enlarged into the scratch first, and a
 * vector is added afterwards.
 */
#include "backends/cpu/product.h"
#include "core/parallel.h"
#include "kernels/matrix.h"

static bool accepts(const pld_executable *e, const pld_operator *op) {
    (void)e;
    (void)op;
    return true;
}

static int64_t taps_of(const pld_product_problem *p) {
    return p->kernel * p->kernel;
}

static bool accepts_int8(const pld_executable *e, const pld_operator *op) {
    return op->product.problem.kernel > 0 && pld_product_takes_int8(&e->settings, op) &&
           !pld_product_winograd.accepts(e, op);
}

static pld_matrix matrix_of(const pld_executable *e, const pld_operator *op) {
    const pld_product_problem *p = &op->product.problem;
    const bool int8 = pld_cpu_operator_of(e, op)->path == &pld_product_direct_int8;
    pld_panels weights = int8 ? pld_product_int8_panels(op) : pld_product_panels(op, 1);
    weights.depth *= taps_of(p);
    return (pld_matrix){.weights = weights,
                        .rows = p->batch * p->out_height * p->out_width,
                        .patches = {.kernel = p->kernel,
                                    .stride = p->stride,
                                    .pad_before = p->pad_before,
                                    .height = p->height,
                                    .width = p->width,
                                    .channels = p->in_channels,
                                    .out_height = p->out_height,
                                    .out_width = p->out_width}};
}

static int threads_of(const pld_executable *e, const pld_matrix *matrix) {
    return pld_product_threads(e, (double)matrix->rows *
                                      (double)(matrix->weights.columns * matrix->weights.depth));
}

static pld_status prepare(pld_executable *e, const pld_operator *op, pld_error *error) {
    const pld_matrix matrix = matrix_of(e, op);
    return pld_product_pack_patches(e, op, &matrix.weights, taps_of(&op->product.problem), error);
}

/** Floats of the input as the convolution sees it; 0 where it is what the plan holds. */
static size_t input_floats(const pld_executable *e, const pld_operator *op) {
    const pld_product_problem *p = &op->product.problem;
    const pld_value *in = pld_value_at(e, op->in);
    const bool same = !pld_product_input(op) && in->height == p->height && in->width == p->width;
    return same ? 0 : (size_t)pld_whole_lines(p->batch * p->height * p->width * p->in_channels);
}

/** Scratch: the input as the convolution sees it · the product's. */
static size_t scratch(const pld_executable *e, const pld_operator *op) {
    const pld_matrix matrix = matrix_of(e, op);
    return input_floats(e, op) * sizeof(float) +
           pld_matrix_scratch(pld_cpu_kernels(e), &matrix, threads_of(e, &matrix));
}

typedef struct input_task {
    const pld_executable *e;
    const pld_operator *op;
    float *to; /* [B, H, W, C] */
} input_task;

/** Normalise or enlarge; items are rows of all pictures. */
static void write_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const input_task *task = context;
    const pld_executable *e = task->e;
    const pld_kernels *kernels = pld_cpu_kernels(e);
    const pld_product_problem *p = &task->op->product.problem;
    const pld_value *in = pld_value_at(e, task->op->in);
    const pld_input_change change = pld_product_input(task->op);
    const pld_convolution_operands operands = pld_product_operands(e, task->op);
    for (int64_t row = (int64_t)begin; row < (int64_t)end; row++) {
        const int64_t picture = row / p->height;
        const int64_t source = picture * in->height + row % p->height * in->height / p->height;
        const float *from = pld_cpu_data(e, task->op->in) + source * in->width * p->in_channels;
        float *to = task->to + row * p->width * p->in_channels;
        if (change) {
            pld_change_input(kernels, &operands, change, picture, from, p->width, p->in_channels, to);
        } else {
            kernels->upsample_nearest(from, 1, in->width, p->in_channels, 1, p->width, to);
        }
    }
}

static void add_vector(const pld_executable *e, const pld_operator *op) {
    const pld_product_problem *p = &op->product.problem;
    const float *vector = pld_cpu_data_or_null(e, op->product.vector);
    float *out = pld_cpu_data(e, op->out);
    const int64_t pixels = p->out_height * p->out_width;
    for (int64_t b = 0; vector && b < p->batch; b++, out += pixels * p->out_channels) {
        pld_cpu_kernels(e)->add_rows(out, pixels, p->out_channels, vector + b * p->out_channels, out);
    }
}

static pld_status run_direct(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_product_problem *p = &op->product.problem;
    const pld_matrix matrix = matrix_of(e, op);
    const float *x = pld_cpu_data(e, op->in);
    const size_t floats = input_floats(e, op);
    if (floats) {
        input_task task = {e, op, pld_cpu_scratch(e)};
        pld_parallel_for(pld_cpu_threads_for(e, floats), (size_t)(p->batch * p->height), write_rows, &task);
        x = task.to;
    }
    pld_matrix_run(pld_cpu_kernels(e), &matrix, threads_of(e, &matrix),
                   &(pld_matrix_operands){.left = x,
                                          .packed = pld_cpu_operator_of(e, op)->packed.data,
                                          .bias = pld_cpu_operator_of(e, op)->bias,
                                          .residual = pld_cpu_data_or_null(e, op->product.residual),
                                          .out = pld_cpu_data(e, op->out),
                                          .scratch = (float *)pld_cpu_scratch(e) + floats});
    add_vector(e, op);
    return PLD_OK;
}

const pld_product_path pld_product_direct = {"direct", false, accepts, prepare, scratch, run_direct};
const pld_product_path pld_product_direct_int8 = {"direct int8", false,   accepts_int8,
                                                  prepare,       scratch, run_direct};
