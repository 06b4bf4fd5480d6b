/* SPDX-License-Identifier: Apache-2.0 */
/** FreeU (Si et al. 2023, arXiv 2309.11497) before a skip joins the backbone: half of the backbone's channels
 *  are scaled, and of the skip the spatial frequencies −1 and 0 of each axis. Nothing happens unless the run
 * asks.
 */
#include <math.h>

#include "backends/cpu/operators.h"
#include "core/parallel.h"
#include "kernels/cuts.h"

enum { MOST_FREQUENCIES = 4 };

/** One picture's skip [height, width, channels]. */
typedef struct filter_task {
    float *skip;
    int64_t height, width, channels;
    int frequencies;
    int vertical[MOST_FREQUENCIES], horizontal[MOST_FREQUENCIES]; /* −1 or 0 */
    double *sums;  /* [frequencies, 2, channels]: real and imaginary part */
    double *waves; /* [frequencies, tokens, 2]: cosine and sine of the phase */
    double gain;   /* s − 1 */
} filter_task;

/** The frequencies under the mask; an axis of one place has only 0. */
static void choose_frequencies(filter_task *task) {
    for (int fy = task->height > 1 ? -1 : 0; fy <= 0; fy++) {
        for (int fx = task->width > 1 ? -1 : 0; fx <= 0; fx++) {
            task->vertical[task->frequencies] = fy;
            task->horizontal[task->frequencies++] = fx;
        }
    }
}

static const double tau = 6.283185307179586; /* 2π */

static double phase(const filter_task *task, int frequency, int64_t token) {
    const int64_t row = token / task->width;
    const double y = (double)row / (double)task->height;
    const double x = (double)(token % task->width) / (double)task->width;
    return tau * (task->vertical[frequency] * y + task->horizontal[frequency] * x);
}

static double *wave_of(const filter_task *task, int frequency, int64_t token) {
    return task->waves + 2 * (frequency * task->height * task->width + token);
}

static void fill_waves(filter_task *task) {
    for (int f = 0; f < task->frequencies; f++) {
        for (int64_t token = 0; token < task->height * task->width; token++) {
            double *wave = wave_of(task, f, token);
            wave[0] = cos(phase(task, f, token));
            wave[1] = sin(phase(task, f, token));
        }
    }
}

/** Items are cache lines of channels: their transform at these frequencies, then the real part of its way
 * back, s − 1 times. The mask is not symmetric, so the way back is complex; its real part is taken, as
 * diffusers does. */
static void filter_channels(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const filter_task *task = context;
    const int64_t tokens = task->height * task->width;
    const int64_t first = (int64_t)begin * PLD_LINE;
    const int64_t last = pld_smaller(task->channels, (int64_t)end * PLD_LINE);
    for (int f = 0; f < task->frequencies; f++) {
        double *real = task->sums + task->channels * 2 * f;
        double *imaginary = real + task->channels;
        for (int64_t c = first; c < last; c++) {
            real[c] = imaginary[c] = 0;
        }
        for (int64_t token = 0; token < tokens; token++) {
            const float *row = task->skip + token * task->channels;
            const double *wave = wave_of(task, f, token);
            for (int64_t c = first; c < last; c++) {
                real[c] += (double)row[c] * wave[0];
                imaginary[c] -= (double)row[c] * wave[1];
            }
        }
    }
    const double gain = task->gain / (double)tokens;
    for (int64_t token = 0; token < tokens; token++) {
        float *row = task->skip + token * task->channels;
        for (int f = 0; f < task->frequencies; f++) {
            const double *real = task->sums + task->channels * 2 * f;
            const double *imaginary = real + task->channels;
            const double *wave = wave_of(task, f, token);
            const double cosine = gain * wave[0];
            const double sine = gain * wave[1];
            for (int64_t c = first; c < last; c++) {
                row[c] += (float)(real[c] * cosine - imaginary[c] * sine);
            }
        }
    }
}

static size_t freeu_scratch(const pld_executable *e, const pld_operator *op) {
    const pld_value *skip = pld_value_at(e, op->freeu.skip);
    return sizeof(double) * 2 * MOST_FREQUENCIES * (size_t)(skip->channels + skip->height * skip->width);
}

static void scale_backbone(float *x, int64_t tokens, int64_t channels, float factor) {
    for (int64_t token = 0; token < tokens; token++) {
        for (int64_t c = 0; c < channels / 2; c++) {
            x[token * channels + c] *= factor;
        }
    }
}

static pld_status run_freeu(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    if (!e->run->block_scales) {
        return PLD_OK;
    }
    const pld_value *x = pld_value_at(e, op->in);
    const pld_value *skip = pld_value_at(e, op->freeu.skip);
    const int64_t tokens = x->height * x->width;
    filter_task task = {.height = skip->height,
                        .width = skip->width,
                        .channels = skip->channels,
                        .sums = pld_cpu_scratch(e),
                        .gain = (double)e->run->block_scales->skip[op->freeu.stage] - 1};
    choose_frequencies(&task);
    task.waves = task.sums + task.channels * 2 * MOST_FREQUENCIES;
    fill_waves(&task);
    for (int64_t b = 0; b < x->batch; b++) {
        scale_backbone(pld_cpu_data(e, op->in) + b * tokens * x->channels, tokens, x->channels,
                       e->run->block_scales->backbone[op->freeu.stage]);
        task.skip = pld_cpu_data(e, op->freeu.skip) + b * tokens * skip->channels;
        pld_parallel_for(pld_cpu_threads_for(e, (size_t)(tokens * skip->channels)),
                         (size_t)pld_parts(skip->channels, PLD_LINE), filter_channels, &task);
    }
    return PLD_OK;
}

const pld_operator_code pld_cpu_freeu = {NULL, freeu_scratch, run_freeu};
