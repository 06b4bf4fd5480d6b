/* SPDX-License-Identifier: Apache-2.0 */
/* Into Winograd's points: a group's pixels, normalised or enlarged on the way. */
#include "core/parallel.h"
#include "kernels/winograd/job.h"

/** The pixel rows that the group reads, in the numbering of all pictures one below the other. */
static void place_band(winograd_job *job) {
    const pld_winograd *conv = job->conv;
    const tile_place first = place_of(job, 0);
    const tile_place last = place_of(job, tiles_of(job) - 1);
    job->band_first = first.picture * conv->height + pld_larger(0, first.row - 1);
    const int64_t end =
        last.picture * conv->height + pld_smaller(conv->height, last.row + PLD_WINOGRAD_OUT + 1);
    job->band_rows = end - job->band_first;
}

static void change_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const winograd_job *job = context;
    const pld_winograd *conv = job->conv;
    const pld_convolution_operands *o = job->operands;
    const int64_t floats = conv->width * conv->weights.depth;
    for (int64_t i = (int64_t)begin; i < (int64_t)end; i++) {
        const int64_t row = job->band_first + i;
        pld_change_input(job->k, o, conv->input, row / conv->height, (const float *)o->x + row * floats,
                         conv->width, conv->weights.depth, job->band + i * floats);
    }
}

/** The channels of input pixel (row, column) of a picture; zeros past the edge. */
static const float *input_pixel(const winograd_job *job, int64_t picture, int64_t row, int64_t column) {
    const pld_winograd *conv = job->conv;
    const int64_t depth = conv->weights.depth;
    if (row < 0 || row >= conv->height || column < 0 || column >= conv->width) {
        return job->zeros;
    }
    if (conv->input) {
        const int64_t in_band = picture * conv->height + row - job->band_first;
        return job->band + (in_band * conv->width + column) * depth;
    }
    row = row * conv->source_height / conv->height;
    column = column * conv->source_width / conv->width;
    const float *x = job->operands->x;
    return x + ((picture * conv->source_height + row) * conv->source_width + column) * depth;
}

static void transform_inputs(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const winograd_job *job = context;
    const int64_t depth = job->conv->weights.depth;
    for (int64_t i = (int64_t)begin; i < (int64_t)end; i++) {
        const tile_place place = place_of(job, i);
        pld_winograd_input tile = {
            .channels = depth, .out = job->inputs + i * depth, .step = job->cut.input_step};
        for (int64_t point = 0; point < PLD_WINOGRAD_POINTS; point++) {
            tile.pixels[point] = input_pixel(job, place.picture, place.row + point / PLD_WINOGRAD_IN - 1,
                                             place.column + point % PLD_WINOGRAD_IN - 1);
        }
        job->k->winograd_input(&tile);
    }
}

void pld_winograd_transform_inputs(winograd_job *job, int threads) {
    if (job->conv->input) {
        place_band(job);
        pld_parallel_for(threads, (size_t)job->band_rows, change_rows, job);
    }
    pld_parallel_for(threads, (size_t)tiles_of(job), transform_inputs, job);
}
