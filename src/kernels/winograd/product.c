/* SPDX-License-Identifier: Apache-2.0 */
/* Winograd's weights, products and outputs. Where groups of tiles share the weights, all panels' are
 * transformed once, and threads share each step. A single group would write them, four times as large as
 * they were, to read them once: there each thread takes some panels from weights to pixels, and waits
 * for no other. Points are outermost, so that a point's inputs stay in the second-level cache while
 * weights pass by. */
#include "core/parallel.h"
#include "kernels/winograd/job.h"

enum {
    POINTS = PLD_WINOGRAD_POINTS,
    EXPANDED = PLD_WINOGRAD_EXPANDED,
    DEPTH = 256, /* of a product: a piece of a panel stays in the first-level cache, and sums stay short */
};

static int64_t expanded_floats(const winograd_cut *cut) {
    return cut->width * PLD_WINOGRAD_TAPS * EXPANDED;
}

int64_t pld_winograd_room(const winograd_cut *cut) {
    const int64_t own = cut->shares_weights ? 0 : POINTS * (cut->weight_step + cut->product_step);
    return expanded_floats(cut) + own;
}

static float *room_of(const winograd_job *job, int thread) {
    return job->rooms + thread * pld_winograd_room(&job->cut);
}

/** Items: panels times pieces of EXPANDED rows of the channels in work. */
static void transform_weights(void *context, size_t begin, size_t end, int thread) {
    const winograd_job *job = context;
    const int64_t width = job->cut.width;
    const int64_t pieces = pld_parts(job->channels, EXPANDED);
    float *room = room_of(job, thread);
    for (int64_t item = (int64_t)begin; item < (int64_t)end; item++) {
        const int64_t panel = item / pieces;
        const int64_t first = item % pieces * EXPANDED;
        const int64_t count = pld_smaller(EXPANDED, job->channels - first);
        const float *plain =
            pld_panels_read(job->k, &job->conv->weights, job->operands->packed, job->first_panel + panel,
                            job->first_channel + first, count, room);
        job->k->winograd_weights(plain, count, width, job->weights + (panel * job->channels + first) * width,
                                 job->cut.weight_step);
    }
}

/** The inputs of a point, their channels in work, times one panel. */
static void multiply_panel(const winograd_job *job, int64_t point, int64_t panel) {
    const winograd_cut *cut = &job->cut;
    const float *inputs = job->inputs + point * cut->input_step + job->first_channel;
    const float *weights = job->weights + point * cut->weight_step + panel * job->channels * cut->width;
    float *out = job->products + point * cut->product_step + panel * cut->width;
    for (int64_t at = 0; at < job->channels; at += DEPTH) {
        job->k->panel_product(&(pld_panel_product){.left = inputs + at,
                                                   .left_row = job->conv->weights.depth,
                                                   .rows = tiles_of(job),
                                                   .depth = pld_smaller(DEPTH, job->channels - at),
                                                   .panel = weights + at * cut->width,
                                                   .to = {.add = job->first_channel + at > 0 ? out : NULL,
                                                          .out = out,
                                                          .out_row = job->panels * cut->width,
                                                          .columns = cut->width}});
    }
}

/** Items: points times panels, points outermost. */
static void multiply(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const winograd_job *job = context;
    for (int64_t item = (int64_t)begin; item < (int64_t)end; item++) {
        multiply_panel(job, item / job->panels, item % job->panels);
    }
}

/** Address of `channel` of output pixel (row, column), as an index into [B, H, W, N]. */
static int64_t output_index(const pld_winograd *conv, const tile_place *place, int64_t row, int64_t column,
                            int64_t channel) {
    return ((place->picture * conv->height + row) * conv->width + column) * conv->weights.columns + channel;
}

/** The channels in work of the group's tile with this number. */
static void write_tile(const winograd_job *job, int64_t number) {
    const pld_winograd *conv = job->conv;
    const pld_convolution_operands *o = job->operands;
    const int64_t columns = job->panels * job->cut.width;
    const int64_t channel = job->first_panel * job->cut.width;
    const tile_place place = place_of(job, number);
    pld_winograd_output tile = {.products = job->products + number * columns,
                                .step = job->cut.product_step,
                                .channels = pld_smaller(columns, conv->weights.columns - channel),
                                .bias = job->biases + place.picture * conv->weights.columns + channel,
                                .add_residual = o->residual != NULL};
    for (int64_t pixel = 0; pixel < (int64_t)PLD_WINOGRAD_OUT * PLD_WINOGRAD_OUT; pixel++) {
        const int64_t row = place.row + pixel / PLD_WINOGRAD_OUT;
        const int64_t column = place.column + pixel % PLD_WINOGRAD_OUT;
        if (row < conv->height && column < conv->width) {
            const int64_t at = output_index(conv, &place, row, column, channel);
            tile.pixels[pixel] = (float *)o->out + at;
            tile.residual[pixel] = o->residual ? o->residual + at : NULL;
        }
    }
    job->k->winograd_output(&tile);
}

static void write_tiles(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    for (int64_t i = (int64_t)begin; i < (int64_t)end; i++) {
        write_tile(context, i);
    }
}

static size_t weight_pieces(const winograd_job *job) {
    return (size_t)(job->panels * pld_parts(job->channels, EXPANDED));
}

/** Items: cut.panels panels, from weights to pixels, in a thread's own room. */
static void work_through_panels(void *context, size_t begin, size_t end, int thread) {
    const winograd_job *all = context;
    const winograd_cut *cut = &all->cut;
    const int64_t depth = all->conv->weights.depth;
    winograd_job own = *all;
    own.weights = room_of(all, thread) + expanded_floats(cut);
    own.products = own.weights + POINTS * cut->weight_step;
    for (int64_t item = (int64_t)begin; item < (int64_t)end; item++) {
        own.first_panel = item * cut->panels;
        own.panels = pld_smaller(cut->panels, cut->all_panels - own.first_panel);
        for (own.first_channel = 0; own.first_channel < depth; own.first_channel += cut->channels) {
            own.channels = pld_smaller(cut->channels, depth - own.first_channel);
            transform_weights(&own, 0, weight_pieces(&own), thread);
            multiply(&own, 0, (size_t)(POINTS * own.panels), thread);
        }
        write_tiles(&own, 0, (size_t)tiles_of(&own), thread);
    }
}

void pld_winograd_multiply(winograd_job *job, int threads) {
    const winograd_cut *cut = &job->cut;
    if (!cut->shares_weights) {
        pld_parallel_for(threads, (size_t)pld_parts(cut->all_panels, cut->panels), work_through_panels, job);
        return;
    }
    job->panels = cut->all_panels;
    job->channels = cut->channels;
    if (job->first_row == 0) {
        pld_parallel_for(threads, weight_pieces(job), transform_weights, job);
    }
    pld_parallel_for(threads, (size_t)(POINTS * job->panels), multiply, job);
    pld_parallel_for(threads, (size_t)tiles_of(job), write_tiles, job);
}
