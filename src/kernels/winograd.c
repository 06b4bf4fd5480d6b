/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/winograd.h"

#include <string.h>

#include "core/parallel.h"

enum {
    POINTS = PLD_WINOGRAD_IN * PLD_WINOGRAD_IN,
    TAPS = 9,
    DEPTH = 256,      /* of a product, so that a panel's piece stays in the first-level cache */
    EXPANDED = 32,    /* rows of the depth that are expanded and transformed at a time */
    LINE = 16,        /* floats of a cache line */
    MOST_TILES = 128, /* of a group */
    LEAST_TILES = 32,
};

/* What a piece of work may take in floats: inputs and weights together should stay in a third-level cache. */
static const int64_t default_room = 4 << 20;

/** How a convolution is cut: `tiles` at a time, `panels` of output channels at a time. Array strides between
 * the 36 points are a line longer than needed, so that the points do not fall on the same sets of the cache.
 */
typedef struct winograd_cut {
    int64_t rows, columns; /* of tiles in a picture */
    int64_t all_tiles, all_panels;
    int64_t tiles, panels; /* at a time */
    int64_t input_step, weight_step, product_step;
    int64_t width; /* columns of a panel */
} winograd_cut;

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static int64_t whole_lines(int64_t floats) {
    return (floats + LINE - 1) / LINE * LINE;
}

static winograd_cut cut_of(const pld_kernels *k, const pld_winograd *conv) {
    const int64_t depth = conv->weights.depth;
    winograd_cut cut = {.rows = (conv->height + PLD_WINOGRAD_OUT - 1) / PLD_WINOGRAD_OUT,
                        .columns = (conv->width + PLD_WINOGRAD_OUT - 1) / PLD_WINOGRAD_OUT,
                        .width = k->panel_columns(),
                        .all_panels = pld_panel_count(k, conv->weights.columns)};
    cut.all_tiles = conv->batch * cut.rows * cut.columns;
    const int64_t room = conv->room ? conv->room : default_room;
    int64_t tiles = larger(LEAST_TILES, smaller(MOST_TILES, room / (POINTS * depth)));
    int64_t groups = (cut.all_tiles + tiles - 1) / tiles;
    cut.tiles = (cut.all_tiles + groups - 1) / groups;
    int64_t panels = larger(1, room / (POINTS * depth * cut.width));
    int64_t chunks = (cut.all_panels + panels - 1) / panels;
    cut.panels = (cut.all_panels + chunks - 1) / chunks;
    cut.input_step = whole_lines(cut.tiles * depth) + LINE;
    cut.weight_step = whole_lines(cut.panels * depth * cut.width) + LINE;
    cut.product_step = whole_lines(cut.tiles * cut.panels * cut.width) + LINE;
    return cut;
}

static size_t room_floats(const winograd_cut *cut) {
    return (size_t)(EXPANDED * TAPS * cut->width);
}

size_t pld_winograd_scratch(const pld_kernels *k, const pld_winograd *conv, int threads) {
    const winograd_cut cut = cut_of(k, conv);
    return sizeof(float) * ((size_t)whole_lines(conv->weights.depth) +
                            POINTS * (size_t)(cut.input_step + cut.weight_step + cut.product_step) +
                            (size_t)threads * room_floats(&cut));
}

/** One run. Tiles [first_tile, first_tile + tiles) and panels [first_panel, + panels) are in work. */
typedef struct winograd_job {
    const pld_kernels *k;
    const pld_winograd *conv;
    winograd_cut cut;
    const float *x;
    const void *packed;
    const float *bias;
    float *out;
    float *zeros, *inputs, *weights, *products, *rooms;
    int64_t first_tile, tiles, first_panel, panels;
} winograd_job;

/** Where a tile's output begins. */
typedef struct tile_place {
    int64_t picture, row, column;
} tile_place;

static tile_place place_of(const winograd_job *job, int64_t tile) {
    const winograd_cut *cut = &job->cut;
    int64_t in_picture = tile % (cut->rows * cut->columns);
    return (tile_place){tile / (cut->rows * cut->columns), in_picture / cut->columns * PLD_WINOGRAD_OUT,
                        in_picture % cut->columns * PLD_WINOGRAD_OUT};
}

static void transform_inputs(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const winograd_job *job = context;
    const pld_winograd *conv = job->conv;
    const int64_t depth = conv->weights.depth;
    for (size_t i = begin; i < end; i++) {
        const tile_place place = place_of(job, job->first_tile + (int64_t)i);
        const float *picture = job->x + place.picture * conv->height * conv->width * depth;
        pld_winograd_input tile = {
            .channels = depth, .out = job->inputs + (int64_t)i * depth, .step = job->cut.input_step};
        for (int64_t point = 0; point < POINTS; point++) {
            int64_t row = place.row + point / PLD_WINOGRAD_IN - 1;
            int64_t column = place.column + point % PLD_WINOGRAD_IN - 1;
            bool inside = row >= 0 && row < conv->height && column >= 0 && column < conv->width;
            tile.pixels[point] = inside ? picture + (row * conv->width + column) * depth : job->zeros;
        }
        job->k->winograd_input(&tile);
    }
}

/** Items: panels times pieces of EXPANDED rows. */
static void transform_weights(void *context, size_t begin, size_t end, int thread) {
    const winograd_job *job = context;
    const pld_panels *weights = &job->conv->weights;
    const int64_t width = job->cut.width;
    const int64_t pieces = (weights->depth + EXPANDED - 1) / EXPANDED;
    float *room = job->rooms + (size_t)thread * room_floats(&job->cut);
    for (int64_t item = (int64_t)begin; item < (int64_t)end; item++) {
        int64_t panel = item / pieces;
        int64_t first = item % pieces * EXPANDED;
        int64_t count = smaller(EXPANDED, weights->depth - first);
        const float *plain =
            pld_panels_read(job->k, weights, job->packed, job->first_panel + panel, first, count, room);
        job->k->winograd_weights(plain, count, width, job->weights + (panel * weights->depth + first) * width,
                                 job->cut.weight_step);
    }
}

/** Items: points times panels, points outermost. */
static void multiply(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const winograd_job *job = context;
    const winograd_cut *cut = &job->cut;
    const int64_t depth = job->conv->weights.depth;
    for (int64_t item = (int64_t)begin; item < (int64_t)end;) {
        int64_t point = item / job->panels;
        int64_t panel = item % job->panels;
        int64_t last = smaller(job->panels, panel + (int64_t)end - item);
        item += last - panel;
        for (int64_t at = 0; at < depth; at += DEPTH) {
            for (int64_t n = panel; n < last; n++) {
                job->k->panel_product(&(pld_panel_product){
                    .left = job->inputs + point * cut->input_step + at,
                    .left_row = depth,
                    .rows = job->tiles,
                    .depth = smaller(DEPTH, depth - at),
                    .panel = job->weights + point * cut->weight_step + (n * depth + at) * cut->width,
                    .accumulate = at > 0,
                    .out = job->products + point * cut->product_step + n * cut->width,
                    .out_row = job->panels * cut->width,
                    .columns = cut->width});
            }
        }
    }
}

static void transform_outputs(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const winograd_job *job = context;
    const pld_winograd *conv = job->conv;
    const int64_t all = conv->weights.columns;
    const int64_t channel = job->first_panel * job->cut.width;
    for (size_t i = begin; i < end; i++) {
        const tile_place place = place_of(job, job->first_tile + (int64_t)i);
        float *picture = job->out + place.picture * conv->height * conv->width * all + channel;
        pld_winograd_output tile = {.products = job->products + (int64_t)i * job->panels * job->cut.width,
                                    .step = job->cut.product_step,
                                    .channels = smaller(job->panels * job->cut.width, all - channel),
                                    .bias = job->bias ? job->bias + channel : NULL,
                                    .accumulate = conv->accumulate};
        for (int64_t pixel = 0; pixel < PLD_WINOGRAD_OUT * PLD_WINOGRAD_OUT; pixel++) {
            int64_t row = place.row + pixel / PLD_WINOGRAD_OUT;
            int64_t column = place.column + pixel % PLD_WINOGRAD_OUT;
            bool inside = row < conv->height && column < conv->width;
            tile.pixels[pixel] = inside ? picture + (row * conv->width + column) * all : NULL;
        }
        job->k->winograd_output(&tile);
    }
}

/** The arrays of the scratch, in the order that the header draws. */
static void divide_scratch(winograd_job *job, float *scratch) {
    const winograd_cut *cut = &job->cut;
    job->zeros = scratch;
    job->inputs = job->zeros + whole_lines(job->conv->weights.depth);
    job->weights = job->inputs + POINTS * cut->input_step;
    job->products = job->weights + POINTS * cut->weight_step;
    job->rooms = job->products + POINTS * cut->product_step;
    memset(job->zeros, 0, (size_t)job->conv->weights.depth * sizeof(float));
}

void pld_winograd_run(const pld_kernels *k, const pld_winograd *conv, int threads, const float *x,
                      const void *packed, const float *bias, float *out, void *scratch) {
    winograd_job job = {
        .k = k, .conv = conv, .cut = cut_of(k, conv), .x = x, .packed = packed, .bias = bias, .out = out};
    const winograd_cut *cut = &job.cut;
    const int64_t pieces = (conv->weights.depth + EXPANDED - 1) / EXPANDED;
    const bool resident = cut->panels == cut->all_panels;
    divide_scratch(&job, scratch);
    for (int64_t tile = 0; tile < cut->all_tiles; tile += cut->tiles) {
        job.first_tile = tile;
        job.tiles = smaller(cut->tiles, cut->all_tiles - tile);
        pld_parallel_for(threads, (size_t)job.tiles, transform_inputs, &job);
        for (int64_t panel = 0; panel < cut->all_panels; panel += cut->panels) {
            job.first_panel = panel;
            job.panels = smaller(cut->panels, cut->all_panels - panel);
            if (tile == 0 || !resident) {
                pld_parallel_for(threads, (size_t)(job.panels * pieces), transform_weights, &job);
            }
            pld_parallel_for(threads, (size_t)(POINTS * job.panels), multiply, &job);
            pld_parallel_for(threads, (size_t)job.tiles, transform_outputs, &job);
        }
    }
}
