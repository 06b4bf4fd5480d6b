/* SPDX-License-Identifier: Apache-2.0 */
/* Queries blurred over the picture: the perturbed branch of SEG (Hong 2024, arXiv 2408.00760). */
#include <math.h>
#include <string.h>

#include "backends/cpu/variants/variant.h"
#include "core/memory.h"
#include "core/parallel.h"

/** σ = ∞: every query becomes the mean, so one row of the map is all there is to compute. */
static void mean_query(pld_attention_call *call) {
    const int64_t tokens = call->problem.query_count;
    float *mean = pld_attention_spare(call, PLD_SPARE_QUERY);
    for (int64_t channel = 0; channel < call->channels; channel++) {
        double sum = 0;
        for (int64_t token = 0; token < tokens; token++) {
            sum += (double)call->problem.query[token * call->channels + channel];
        }
        mean[channel] = (float)(sum / (double)tokens);
    }
    call->problem.query = mean;
    call->problem.query_count = 1;
}

/** Index mirrored into [0, n) without repeating the edge; kernels wider than the grid bounce again. */
static int64_t reflect(int64_t i, int64_t n) {
    const int64_t period = n > 1 ? 2 * (n - 1) : 1;
    i = (i < 0 ? -i : i) % period;
    return i < n ? i : period - i;
}

/** weights [n, n]: how much of place j goes into place i along one axis. The kernel has ⌈6σ⌉ taps, made odd.
 */
static void axis_weights(double sigma, int64_t n, float *weights) {
    const int64_t taps = (int64_t)ceil(6 * sigma) | 1;
    double total = 0;
    for (int64_t t = -(taps / 2); t <= taps / 2; t++) {
        total += exp(-0.5 * ((double)t / sigma) * ((double)t / sigma));
    }
    for (int64_t i = 0; i < n * n; i++) {
        weights[i] = 0;
    }
    for (int64_t t = -(taps / 2); t <= taps / 2; t++) {
        const double weight = exp(-0.5 * ((double)t / sigma) * ((double)t / sigma)) / total;
        for (int64_t i = 0; i < n; i++) {
            weights[i * n + reflect(i + t, n)] += (float)weight;
        }
    }
}

/** One axis: out[place · stride] = Σ weights · in, over runs of `run` floats that lie side by side. */
typedef struct axis_task {
    const float *in, *weights;
    float *out;
    int64_t places; /* along the axis */
    int64_t run;    /* floats between one place and the next */
} axis_task;

/** Items are places of all lines. */
static void blur_axis(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const axis_task *task = context;
    for (int64_t item = (int64_t)begin; item < (int64_t)end; item++) {
        const int64_t line = item / task->places * task->places * task->run;
        const float *weights = task->weights + item % task->places * task->places;
        float *out = task->out + item * task->run;
        for (int64_t c = 0; c < task->run; c++) {
            out[c] = 0;
        }
        for (int64_t place = 0; place < task->places; place++) {
            const float *in = task->in + line + place * task->run;
            for (int64_t c = 0; weights[place] != 0 && c < task->run; c++) {
                out[c] += weights[place] * in[c];
            }
        }
    }
}

pld_status pld_cpu_blur(pld_attention_call *call, float *out, pld_error *error) {
    (void)out;
    const int64_t height = call->height;
    const int64_t width = call->width;
    if (isinf(call->choice->sigma)) {
        mean_query(call);
        return PLD_OK;
    }
    const int64_t longer = height > width ? height : width;
    float *weights = pld_allocate((size_t)(longer * longer), sizeof *weights);
    if (!weights) {
        return pld_fail_memory(error, (size_t)(longer * longer) * sizeof *weights, "blurred queries");
    }
    float *columns = pld_attention_spare(call, PLD_SPARE_ROWS);
    float *blurred = pld_attention_spare(call, PLD_SPARE_QUERY);
    axis_weights((double)call->choice->sigma, height, weights);
    axis_task down = {call->problem.query, weights, columns, height, width * call->channels};
    pld_parallel_for(call->parallel.threads, (size_t)height, blur_axis, &down);
    axis_weights((double)call->choice->sigma, width, weights);
    axis_task across = {columns, weights, blurred, width, call->channels};
    pld_parallel_for(call->parallel.threads, (size_t)(height * width), blur_axis, &across);
    pld_free(weights);
    const int64_t places = height * width * call->channels; /* padding behind the picture stays as it is */
    memcpy(blurred + places, call->problem.query + places,
           (size_t)(call->problem.query_count * call->channels - places) * sizeof *blurred);
    call->problem.query = blurred;
    return PLD_OK;
}
