/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/winograd/winograd.h"

#include <string.h>

#include "kernels/winograd/job.h"

size_t pld_winograd_scratch(const pld_kernels *k, const pld_winograd *conv, int threads) {
    const winograd_cut cut = pld_winograd_cut(k, conv);
    return pld_winograd_floats(conv, &cut, threads) * sizeof(float);
}

/** biases [B, N] = bias + vector. */
static void join_biases(const winograd_job *job) {
    const pld_convolution_operands *o = job->operands;
    const int64_t all = job->conv->weights.columns;
    for (int64_t i = 0; i < job->conv->batch * all; i++) {
        job->biases[i] = (o->bias ? o->bias[i % all] : 0) + (o->vector ? o->vector[i] : 0);
    }
}

void pld_winograd_run(const pld_kernels *k, const pld_winograd *conv, int threads,
                      const pld_convolution_operands *operands) {
    winograd_job job = {.k = k, .conv = conv, .operands = operands, .cut = pld_winograd_cut(k, conv)};
    pld_winograd_divide(&job);
    join_biases(&job);
    memset(job.zeros, 0, (size_t)conv->weights.depth * sizeof(float));
    for (; job.first_row < job.cut.all_rows; job.first_row += job.cut.group_rows) {
        job.rows = pld_smaller(job.cut.group_rows, job.cut.all_rows - job.first_row);
        pld_winograd_transform_inputs(&job, threads);
        pld_winograd_multiply(&job, threads);
    }
}
