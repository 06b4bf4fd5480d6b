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
    MOST_TILES = 128, /* that a group should hold */
    LEAST_TILES = 32,
};

/* What a piece of work may take in floats: inputs and weights together should stay in a third-level cache. */
static const int64_t default_room = 4 << 20;

/** How a convolution is cut: rows of tiles, over all pictures, `group_rows` at a time; `panels` of output
 * channels at a time. Array strides between the 36 points are a line longer than needed, so that the points
 * do not fall on the same sets of the cache. */
typedef struct winograd_cut {
    int64_t rows, columns; /* of tiles in a picture */
    int64_t all_rows, all_panels;
    int64_t group_rows, panels; /* at a time */
    int64_t input_step, weight_step, product_step;
    int64_t band_floats;
    int64_t width; /* columns of a panel */
} winograd_cut;

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static int64_t parts(int64_t count, int64_t size) {
    return (count + size - 1) / size;
}

static int64_t whole_lines(int64_t floats) {
    return parts(floats, LINE) * LINE;
}

/** `count` cut into pieces of at most `most`, of nearly equal size: that size. */
static int64_t even_piece(int64_t count, int64_t most) {
    return parts(count, parts(count, larger(1, most)));
}

static winograd_cut cut_of(const pld_kernels *k, const pld_winograd *conv) {
    const int64_t depth = conv->weights.depth;
    const int64_t room = conv->room ? conv->room : default_room;
    winograd_cut cut = {.rows = parts(conv->height, PLD_WINOGRAD_OUT),
                        .columns = parts(conv->width, PLD_WINOGRAD_OUT),
                        .width = k->panel_columns(),
                        .all_panels = pld_panel_count(k, &conv->weights)};
    cut.all_rows = conv->batch * cut.rows;
    const int64_t tiles = larger(LEAST_TILES, smaller(MOST_TILES, room / (POINTS * depth)));
    cut.group_rows = even_piece(cut.all_rows, tiles / cut.columns);
    cut.panels = even_piece(cut.all_panels, room / (POINTS * depth * cut.width));
    const int64_t group_tiles = cut.group_rows * cut.columns;
    cut.input_step = whole_lines(group_tiles * depth) + LINE;
    cut.weight_step = whole_lines(cut.panels * depth * cut.width) + LINE;
    cut.product_step = whole_lines(group_tiles * cut.panels * cut.width) + LINE;
    if (conv->normalise) { /* the rows of a group, and one above and below */
        int64_t rows = smaller(conv->batch * conv->height, cut.group_rows * PLD_WINOGRAD_OUT + 2);
        cut.band_floats = whole_lines(rows * conv->width * depth);
    }
    return cut;
}

static size_t room_floats(const winograd_cut *cut) {
    return (size_t)(cut->width * TAPS * EXPANDED);
}

size_t pld_winograd_scratch(const pld_kernels *k, const pld_winograd *conv, int threads) {
    const winograd_cut cut = cut_of(k, conv);
    return sizeof(float) *
           ((size_t)(whole_lines(conv->weights.depth) + whole_lines(conv->batch * conv->weights.columns)) +
            POINTS * (size_t)(cut.input_step + cut.weight_step + cut.product_step) + (size_t)cut.band_floats +
            (size_t)threads * room_floats(&cut));
}

/** One run. Rows of tiles [first_row, first_row + rows) and panels [first_panel, + panels) are in work. */
typedef struct winograd_job {
    const pld_kernels *k;
    const pld_winograd *conv;
    const pld_winograd_operands *operands;
    winograd_cut cut;
    float *zeros, *biases, *inputs, *weights, *products, *band, *rooms;
    int64_t first_row, rows, first_panel, panels;
    int64_t band_first, band_rows; /* of the pixel rows of all pictures, one below the other */
} winograd_job;

/** Where a tile's output begins. */
typedef struct tile_place {
    int64_t picture, row, column;
} tile_place;

/** Of the tile with this number within the group. */
static tile_place place_of(const winograd_job *job, int64_t tile) {
    const winograd_cut *cut = &job->cut;
    const int64_t row = job->first_row + tile / cut->columns;
    return (tile_place){row / cut->rows, row % cut->rows * PLD_WINOGRAD_OUT,
                        tile % cut->columns * PLD_WINOGRAD_OUT};
}

/** The pixel rows that the group reads, in the numbering of all pictures one below the other. */
static void place_band(winograd_job *job) {
    const pld_winograd *conv = job->conv;
    const int64_t tiles = job->rows * job->cut.columns;
    const tile_place first = place_of(job, 0);
    const tile_place last = place_of(job, tiles - 1);
    job->band_first = first.picture * conv->height + larger(0, first.row - 1);
    const int64_t end = last.picture * conv->height + smaller(conv->height, last.row + PLD_WINOGRAD_OUT + 1);
    job->band_rows = end - job->band_first;
}

static void normalise_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const winograd_job *job = context;
    const pld_winograd *conv = job->conv;
    const pld_winograd_operands *o = job->operands;
    const int64_t floats = conv->width * conv->weights.depth;
    for (int64_t i = (int64_t)begin; i < (int64_t)end; i++) {
        const int64_t row = job->band_first + i;
        const int64_t factors = row / conv->height * o->factor_step;
        job->k->scale_shift(o->x + row * floats, conv->width, conv->weights.depth, o->scale + factors,
                            o->shift + factors, conv->silu, job->band + i * floats);
    }
}

/** The channels of input pixel (row, column) of a picture; zeros past the edge. */
static const float *input_pixel(const winograd_job *job, int64_t picture, int64_t row, int64_t column) {
    const pld_winograd *conv = job->conv;
    const int64_t depth = conv->weights.depth;
    if (row < 0 || row >= conv->height || column < 0 || column >= conv->width) {
        return job->zeros;
    }
    if (conv->normalise) {
        const int64_t in_band = picture * conv->height + row - job->band_first;
        return job->band + (in_band * conv->width + column) * depth;
    }
    row = row * conv->source_height / conv->height;
    column = column * conv->source_width / conv->width;
    return job->operands->x + ((picture * conv->source_height + row) * conv->source_width + column) * depth;
}

static void transform_inputs(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const winograd_job *job = context;
    const int64_t depth = job->conv->weights.depth;
    for (int64_t i = (int64_t)begin; i < (int64_t)end; i++) {
        const tile_place place = place_of(job, i);
        pld_winograd_input tile = {
            .channels = depth, .out = job->inputs + i * depth, .step = job->cut.input_step};
        for (int64_t point = 0; point < POINTS; point++) {
            tile.pixels[point] = input_pixel(job, place.picture, place.row + point / PLD_WINOGRAD_IN - 1,
                                             place.column + point % PLD_WINOGRAD_IN - 1);
        }
        job->k->winograd_input(&tile);
    }
}

/** Items: panels times pieces of EXPANDED rows. */
static void transform_weights(void *context, size_t begin, size_t end, int thread) {
    const winograd_job *job = context;
    const pld_panels *weights = &job->conv->weights;
    const int64_t width = job->cut.width;
    const int64_t pieces = parts(weights->depth, EXPANDED);
    float *room = job->rooms + (size_t)thread * room_floats(&job->cut);
    for (int64_t item = (int64_t)begin; item < (int64_t)end; item++) {
        int64_t panel = item / pieces;
        int64_t first = item % pieces * EXPANDED;
        int64_t count = smaller(EXPANDED, weights->depth - first);
        const float *plain = pld_panels_read(job->k, weights, job->operands->packed, job->first_panel + panel,
                                             first, count, room);
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
                float *out = job->products + point * cut->product_step + n * cut->width;
                job->k->panel_product(&(pld_panel_product){.left = job->inputs + point * cut->input_step + at,
                                                           .left_row = depth,
                                                           .rows = job->rows * cut->columns,
                                                           .depth = smaller(DEPTH, depth - at),
                                                           .panel = job->weights + point * cut->weight_step +
                                                                    (n * depth + at) * cut->width,
                                                           .add = at > 0 ? out : NULL,
                                                           .out = out,
                                                           .out_row = job->panels * cut->width,
                                                           .columns = cut->width});
            }
        }
    }
}

/** Address of `channel` of output pixel (row, column), as an index into [B, H, W, N]. */
static int64_t output_index(const pld_winograd *conv, const tile_place *place, int64_t row, int64_t column,
                            int64_t channel) {
    return ((place->picture * conv->height + row) * conv->width + column) * conv->weights.columns + channel;
}

static void transform_outputs(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const winograd_job *job = context;
    const pld_winograd *conv = job->conv;
    const pld_winograd_operands *o = job->operands;
    const int64_t all = conv->weights.columns;
    const int64_t channel = job->first_panel * job->cut.width;
    for (int64_t i = (int64_t)begin; i < (int64_t)end; i++) {
        const tile_place place = place_of(job, i);
        pld_winograd_output tile = {.products = job->products + i * job->panels * job->cut.width,
                                    .step = job->cut.product_step,
                                    .channels = smaller(job->panels * job->cut.width, all - channel),
                                    .bias = job->biases + place.picture * all + channel,
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
}

/** The arrays of the scratch, in the order that the header draws. */
static void divide_scratch(winograd_job *job) {
    const winograd_cut *cut = &job->cut;
    const pld_panels *weights = &job->conv->weights;
    job->zeros = job->operands->scratch;
    job->biases = job->zeros + whole_lines(weights->depth);
    job->inputs = job->biases + whole_lines(job->conv->batch * weights->columns);
    job->weights = job->inputs + POINTS * cut->input_step;
    job->products = job->weights + POINTS * cut->weight_step;
    job->band = job->products + POINTS * cut->product_step;
    job->rooms = job->band + cut->band_floats;
}

/** biases [B, N] = bias + vector. */
static void join_biases(const winograd_job *job) {
    const pld_winograd_operands *o = job->operands;
    const int64_t all = job->conv->weights.columns;
    for (int64_t i = 0; i < job->conv->batch * all; i++) {
        job->biases[i] = (o->bias ? o->bias[i % all] : 0) + (o->vector ? o->vector[i] : 0);
    }
}

/** The rows of tiles that are in work, over all panels. */
static void run_group(winograd_job *job, int threads) {
    const winograd_cut *cut = &job->cut;
    const size_t tiles = (size_t)(job->rows * cut->columns);
    const bool once = cut->panels == cut->all_panels; /* all transformed weights fit, and stay */
    if (job->conv->normalise) {
        place_band(job);
        pld_parallel_for(threads, (size_t)job->band_rows, normalise_rows, job);
    }
    pld_parallel_for(threads, tiles, transform_inputs, job);
    for (job->first_panel = 0; job->first_panel < cut->all_panels; job->first_panel += cut->panels) {
        job->panels = smaller(cut->panels, cut->all_panels - job->first_panel);
        if (!once || job->first_row == 0) {
            const int64_t pieces = parts(job->conv->weights.depth, EXPANDED);
            pld_parallel_for(threads, (size_t)(job->panels * pieces), transform_weights, job);
        }
        pld_parallel_for(threads, (size_t)(POINTS * job->panels), multiply, job);
        pld_parallel_for(threads, tiles, transform_outputs, job);
    }
}

void pld_winograd_run(const pld_kernels *k, const pld_winograd *conv, int threads,
                      const pld_winograd_operands *operands) {
    winograd_job job = {.k = k, .conv = conv, .operands = operands, .cut = cut_of(k, conv)};
    divide_scratch(&job);
    join_biases(&job);
    memset(job.zeros, 0, (size_t)conv->weights.depth * sizeof(float));
    for (; job.first_row < job.cut.all_rows; job.first_row += job.cut.group_rows) {
        job.rows = smaller(job.cut.group_rows, job.cut.all_rows - job.first_row);
        run_group(&job, threads);
    }
}
