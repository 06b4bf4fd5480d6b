/* SPDX-License-Identifier: Apache-2.0 */
/** Convolutions that skip pixels, as a matrix product: a row of the left side is the patch of the input that
 * an output pixel sees, in the order of the weights [out, in, kernel, kernel].
 *
 *      x [h, w, C]  →  patches [some output pixels, C·kernel²]  ·  weightsᵀ [C·kernel², N]  →  out
 */
#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/matrix.h"
#include "nn/operators/operators.h"

enum { MOST_TAPS = 25, PATCH_FLOATS = 2 << 20 }; /* patches at a time: they stay in the third-level cache */

static bool accepts(const pld_run *run, const pld_operator *op) {
    enum {
        FEWEST = 128
    }; /* measured: 0.6 to 0.9 times oneDNN's speed with 16 to 96 channels, 1.1 to 1.7 from 320 */
    const pld_onednn_problem *p = &op->problem;
    return p->stride > 1 && p->kernel * p->kernel <= MOST_TAPS && op->factors == PLD_NO_VALUE &&
           op->vector == PLD_NO_VALUE &&
           (run->settings.conv == PLD_CONV_WINOGRAD ||
            (run->settings.conv == PLD_CONV_AUTO && p->in_channels >= FEWEST));
}

/** One convolution cut into pieces of `piece` output pixels. */
typedef struct patch_job {
    const pld_onednn_problem *p;
    const float *in;    /* [batch, height, width, C] */
    const float *zeros; /* [C] */
    float *patches;     /* [piece, C·kernel²] */
    int64_t first;      /* output pixel of the first, over all pictures */
    int64_t depth, pixels, piece;
} patch_job;

static patch_job job_of(const pld_operator *op) {
    const pld_onednn_problem *p = &op->problem;
    patch_job job = {.p = p,
                     .depth = p->in_channels * p->kernel * p->kernel,
                     .pixels = p->batch * p->out_height * p->out_width};
    job.piece = pld_smaller(job.pixels, pld_larger(1, PATCH_FLOATS / job.depth));
    return job;
}

static pld_matrix matrix_of(const pld_operator *op, const patch_job *job) {
    pld_panels weights = pld_product_panels(op, 1);
    weights.depth = job->depth;
    return (pld_matrix){weights, job->piece};
}

static pld_status prepare(pld_run *run, pld_operator *op, pld_error *error) {
    const patch_job job = job_of(op);
    const pld_matrix matrix = matrix_of(op, &job);
    return pld_product_pack(run, op, &matrix.weights, error);
}

/** Scratch: zeros · patches · the product's. */
static int64_t zero_floats(const patch_job *job) {
    return pld_whole_lines(job->p->in_channels);
}

static int64_t patch_floats(const patch_job *job) {
    return pld_whole_lines(job->piece * job->depth);
}

static size_t scratch(const pld_run *run, const pld_operator *op) {
    const patch_job job = job_of(op);
    const pld_matrix matrix = matrix_of(op, &job);
    return (size_t)(zero_floats(&job) + patch_floats(&job)) * sizeof(float) +
           pld_matrix_scratch(run->kernels, &matrix, run->threads);
}

/** Where each tap of output pixel `pixel` reads [C]. */
static void find_taps(const patch_job *job, int64_t pixel, const float *taps[MOST_TAPS]) {
    const pld_onednn_problem *p = job->p;
    const int64_t column = pixel % p->out_width * p->stride - p->pad_before;
    const int64_t row = pixel / p->out_width % p->out_height * p->stride - p->pad_before;
    const int64_t picture = pixel / (p->out_width * p->out_height);
    for (int64_t tap = 0; tap < p->kernel * p->kernel; tap++) {
        const int64_t y = row + tap / p->kernel, x = column + tap % p->kernel;
        const bool inside = y >= 0 && y < p->height && x >= 0 && x < p->width;
        taps[tap] =
            inside ? job->in + ((picture * p->height + y) * p->width + x) * p->in_channels : job->zeros;
    }
}

/** Items are the piece's output pixels. */
static void fill_patches(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const patch_job *job = context;
    const int64_t count = job->p->kernel * job->p->kernel;
    const float *taps[MOST_TAPS];
    for (size_t item = begin; item < end; item++) {
        float *patch = job->patches + (int64_t)item * job->depth;
        find_taps(job, job->first + (int64_t)item, taps);
        for (int64_t channel = 0; channel < job->p->in_channels; channel++) {
            for (int64_t tap = 0; tap < count; tap++) {
                *patch++ = taps[tap][channel];
            }
        }
    }
}

static pld_status run_patches(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_plan *plan = run->plan;
    patch_job job = job_of(op);
    pld_matrix matrix = matrix_of(op, &job);
    float *zeros = plan->scratch;
    for (int64_t channel = 0; channel < op->problem.in_channels; channel++) {
        zeros[channel] = 0;
    }
    job.in = pld_plan_data(plan, op->in);
    job.zeros = zeros;
    job.patches = zeros + zero_floats(&job);
    const float *residual = pld_plan_data_or_null(plan, op->residual);
    for (; job.first < job.pixels; job.first += job.piece) {
        matrix.rows = pld_smaller(job.piece, job.pixels - job.first);
        pld_parallel_for(pld_threads_for(run, (size_t)(matrix.rows * job.depth)), (size_t)matrix.rows,
                         fill_patches, &job);
        const int64_t at = job.first * op->problem.out_channels;
        pld_matrix_run(run->kernels, &matrix, run->threads,
                       &(pld_matrix_operands){.left = job.patches,
                                              .packed = op->packed,
                                              .bias = op->bias_values,
                                              .residual = residual ? residual + at : NULL,
                                              .out = pld_plan_data(plan, op->out) + at,
                                              .scratch = job.patches + patch_floats(&job)});
    }
    return PLD_OK;
}

const pld_product_path pld_product_patches = {"patches", accepts, prepare, scratch, run_patches};
