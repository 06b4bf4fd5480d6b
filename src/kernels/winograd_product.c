/* SPDX-License-Identifier: Apache-2.0 */
/* Winograd's weights, products and outputs: of all panels at once where groups share the weights, else of as many
 * panels as the caches hold. Points are outermost, so that a point's inputs stay in the second-level cache while
 * weights pass by. */
#include "core/parallel.h"
#include "kernels/winograd_job.h"

enum {
    POINTS = PLD_WINOGRAD_POINTS,
    EXPANDED = PLD_WINOGRAD_EXPANDED,
    DEPTH = 320, /* of a product, so that a panel's piece stays in the first-level cache */
};

int64_t pld_winograd_room(const winograd_cut *cut) {
    return cut->width * PLD_WINOGRAD_TAPS * EXPANDED;
}

/** Items: panels times pieces of EXPANDED rows. */
static void transform_weights(void *context, size_t begin, size_t end, int thread) {
    const winograd_job *job = context;
    const pld_panels *weights = &job->conv->weights;
    const int64_t width = job->cut.width;
    const int64_t pieces = pld_parts(weights->depth, EXPANDED);
    float *room = job->rooms + thread * pld_winograd_room(&job->cut);
    for (int64_t item = (int64_t)begin; item < (int64_t)end; item++) {
        const int64_t panel = item / pieces;
        const int64_t first = item % pieces * EXPANDED;
        const int64_t count = pld_smaller(EXPANDED, weights->depth - first);
        const float *plain = pld_panels_read(job->k, weights, job->operands->packed, job->first_panel + panel,
                                             first, count, room);
        job->k->winograd_weights(plain, count, width, job->weights + (panel * weights->depth + first) * width,
                                 job->cut.weight_step);
    }
}

/** The inputs of a point times one panel. */
static void multiply_panel(const winograd_job *job, int64_t point, int64_t panel) {
    const winograd_cut *cut = &job->cut;
    const int64_t depth = job->conv->weights.depth;
    const float *inputs = job->inputs + point * cut->input_step;
    const float *weights = job->weights + point * cut->weight_step + panel * depth * cut->width;
    float *out = job->products + point * cut->product_step + panel * cut->width;
    for (int64_t at = 0; at < depth; at += DEPTH) {
        job->k->panel_product(&(pld_panel_product){.left = inputs + at,
                                                   .left_row = depth,
                                                   .rows = job->rows * cut->columns,
                                                   .depth = pld_smaller(DEPTH, depth - at),
                                                   .panel = weights + at * cut->width,
                                                   .add = at > 0 ? out : NULL,
                                                   .out = out,
                                                   .out_row = job->panels * cut->width,
                                                   .columns = cut->width});
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
    const pld_winograd_operands *o = job->operands;
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
            tile.pixels[pixel] = o->out + at;
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

void pld_winograd_multiply(winograd_job *job, int threads) {
    const winograd_cut *cut = &job->cut;
    const bool stay = cut->panels == cut->all_panels && job->first_row > 0;
    const int64_t pieces = pld_parts(job->conv->weights.depth, EXPANDED);
    for (job->first_panel = 0; job->first_panel < cut->all_panels; job->first_panel += cut->panels) {
        job->panels = pld_smaller(cut->panels, cut->all_panels - job->first_panel);
        if (!stay) {
            pld_parallel_for(threads, (size_t)(job->panels * pieces), transform_weights, job);
        }
        pld_parallel_for(threads, (size_t)(POINTS * job->panels), multiply, job);
        pld_parallel_for(threads, (size_t)(job->rows * cut->columns), write_tiles, job);
    }
}
