/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks for the caches: pair_block's rows × pairs of the band stay in the second level with one panel of
 * them, all taps. Where every thread finds rows enough it works alone, on a band of its own that moves along
 * with the rows: one waits for memory while another multiplies. Fewer rows share a band, and threads their
 * panels. */
#include "kernels/convolution.h"

#include <string.h>

#include "core/parallel.h"
#include "kernels/cuts.h"

/* Words that the band of one group may take: one that all threads share, in the third level, and a thread's
 * own. */
static const int64_t shared_room = 1 << 21;
static const int64_t own_room = 3 << 17;

/** How a convolution is cut. Output rows of all pictures, one below the other, are taken group_rows at a
 * time. Rows of the band are numbered likewise, `seen_rows` a picture, which has its edges with it. */
typedef struct convolution_cut {
    int64_t pairs;                  /* of a pixel */
    int64_t pixel;                  /* words from one to the next */
    int64_t seen_rows, seen_pixels; /* rows of a picture that some tap reads; pixels of such a row */
    int64_t all_rows, group_rows;
    int64_t block_rows; /* of the output, that a panel meets at a time */
    bool alone;         /* each thread has a band of its own */
    int64_t bands, band_words, bias_floats;
    int64_t room_floats; /* of a thread */
} convolution_cut;

/** Rows of the band that `rows` rows of the output read, across so many ends of pictures. */
static int64_t band_rows(const pld_convolution *conv, int64_t rows, int64_t ends) {
    return (rows - 1) * conv->stride + conv->kernel + ends * pld_larger(0, conv->kernel - conv->stride);
}

/** Words of a pixel of the band: an odd number of cache lines, so that pixels, which are read side by side,
 * do not share few sets of the cache. */
static int64_t band_pixel(const pld_convolution *conv) {
    const int64_t words =
        pld_pair_count(conv->weights.depth) * (conv->weights.type == PLD_PANEL_SPLIT ? 2 : 1);
    return words < PLD_LINE ? words : (pld_parts(words, PLD_LINE) | 1) * PLD_LINE;
}

/** Pixels that are normalised at a time. */
static int64_t normed_count(const pld_convolution *conv) {
    enum { NUMBERS = 2048 };
    return pld_smaller(conv->source_width, pld_larger(1, NUMBERS / conv->weights.depth));
}

/** Groups of a band that all threads share: as many rows as fit. */
static void cut_shared(const pld_convolution *conv, convolution_cut *cut) {
    const int64_t room = conv->room ? conv->room : shared_room;
    const int64_t most = pld_larger(1, room / (conv->stride * cut->seen_pixels * cut->pixel));
    cut->group_rows = pld_even_piece(cut->all_rows, most);
    const int64_t ends = pld_smaller(conv->batch - 1, cut->group_rows / conv->out_height + 1);
    cut->bands = 1;
    cut->band_words = pld_whole_lines(band_rows(conv, cut->group_rows, ends) * cut->seen_pixels * cut->pixel);
}

/** Groups of a thread's own band: whole blocks of one picture, beside the rows that the next group sees
 * again. */
static void cut_alone(const pld_convolution *conv, int threads, convolution_cut *cut) {
    const int64_t room = conv->room ? conv->room : own_room;
    const int64_t rows = room / (cut->seen_pixels * cut->pixel) - pld_larger(0, conv->kernel - conv->stride);
    cut->group_rows = pld_larger(1, rows / (conv->stride * cut->block_rows)) * cut->block_rows;
    cut->group_rows = pld_smaller(cut->group_rows, conv->out_height);
    cut->bands = threads;
    cut->band_words = pld_whole_lines(band_rows(conv, cut->group_rows, 0) * cut->seen_pixels * cut->pixel);
}

static convolution_cut cut_of(const pld_kernels *k, const pld_convolution *conv, int threads, bool vector) {
    convolution_cut cut = {.pairs = pld_pair_count(conv->weights.depth),
                           .seen_rows = (conv->out_height - 1) * conv->stride + conv->kernel,
                           .seen_pixels = (conv->out_width - 1) * conv->stride + conv->kernel,
                           .all_rows = conv->batch * conv->out_height};
    cut.group_rows = cut.all_rows;
    cut.block_rows = pld_larger(1, k->pair_block().rows / conv->out_width);
    cut.bias_floats = vector ? pld_whole_lines(conv->batch * conv->weights.columns) : 0;
    cut.room_floats = conv->input            ? pld_whole_lines(normed_count(conv) * conv->weights.depth)
                      : conv->weights.halves ? pld_whole_lines(k->panel_columns() * 3 * k->pair_block().rows)
                                             : 0;
    cut.pixel = cut.pairs;
    if (conv->from_pairs) {
        return cut; /* x is the band */
    }
    cut.pixel = band_pixel(conv);
    /* a linear layer may write where others still read: its rows keep together */
    cut.alone = conv->kernel > 1 && pld_parts(cut.all_rows, cut.block_rows) >= 2 * (int64_t)threads;
    if (cut.alone) {
        cut_alone(conv, threads, &cut);
    } else {
        cut_shared(conv, &cut);
    }
    return cut;
}

size_t pld_convolution_scratch(const pld_kernels *k, const pld_convolution *conv, int threads) {
    const convolution_cut cut = cut_of(k, conv, threads, true);
    return sizeof(float) * (size_t)(cut.bias_floats + cut.bands * cut.band_words + threads * cut.room_floats);
}

/** One run. Rows [first_row, first_row + rows) of the output are in work; the band holds rows [first_seen,
 * last_seen). */
typedef struct convolution_job {
    const pld_kernels *k;
    const pld_convolution *conv;
    const pld_convolution_operands *operands;
    convolution_cut cut;
    float *biases, *rooms;
    uint32_t *band;
    const uint32_t *seen; /* what products read: the band, or x itself */
    int64_t first_row, rows, first_seen, last_seen;
    int64_t row_parts, panel_parts;
    int64_t tap_at[PLD_CONVOLUTION_MOST_TAPS]; /* words of the band */
} convolution_job;

/** The row of the band where the taps of an output row begin. */
static int64_t seen_row(const convolution_job *job, int64_t row) {
    const pld_convolution *conv = job->conv;
    return row / conv->out_height * job->cut.seen_rows + row % conv->out_height * conv->stride;
}

/** The numbers of a pixel into the band. */
static void fill_pixel(const convolution_job *job, const float *from, uint32_t *band) {
    const pld_panels *weights = &job->conv->weights;
    if (weights->type == PLD_PANEL_SPLIT) {
        pld_pairs_split(job->k, from, weights->depth, band, band + job->cut.pairs);
    } else {
        pld_pairs_round(job->k, from, weights->depth, band);
    }
}

/** Some pixels of a row, normalised: few, so that they stay in the first level. */
typedef struct normed_pixels {
    float *room; /* [normed_count, C] */
    int64_t picture;
    int64_t first, last;
} normed_pixels;

/** The pixel `source` of a row; sources are asked for in order. */
static const float *normed_pixel(const convolution_job *job, const float *row, int64_t source,
                                 normed_pixels *normed) {
    const pld_convolution *conv = job->conv;
    const int64_t depth = conv->weights.depth;
    if (source >= normed->last) {
        normed->first = source;
        normed->last = pld_smaller(source + normed_count(conv), conv->source_width);
        pld_change_input(job->k, job->operands, conv->input, normed->picture, row + source * depth,
                         normed->last - source, depth, normed->room);
    }
    return normed->room + (source - normed->first) * depth;
}

/** Rows of the band: the input row as the convolution sees it, in pairs, zeros beyond the edges. */
static void fill_row(const convolution_job *job, int64_t seen, float *room) {
    const pld_convolution *conv = job->conv;
    const pld_convolution_operands *o = job->operands;
    const int64_t depth = conv->weights.depth;
    const int64_t picture = seen / job->cut.seen_rows;
    const int64_t y = seen % job->cut.seen_rows - conv->pad_before;
    const int64_t row_words = job->cut.seen_pixels * job->cut.pixel;
    uint32_t *band = job->band + (seen - job->first_seen) * row_words;
    if (y < 0 || y >= conv->height) {
        memset(band, 0, (size_t)row_words * sizeof *band);
        return;
    }
    const int64_t source_y = y * conv->source_height / conv->height;
    const float *from =
        (const float *)o->x + (picture * conv->source_height + source_y) * conv->source_width * depth;
    const int64_t first = pld_smaller(conv->pad_before, job->cut.seen_pixels);
    const int64_t end = pld_smaller(conv->pad_before + conv->width, job->cut.seen_pixels);
    const int64_t after = job->cut.seen_pixels - end;
    memset(band, 0, (size_t)(first * job->cut.pixel) * sizeof *band);
    memset(band + end * job->cut.pixel, 0, (size_t)(after * job->cut.pixel) * sizeof *band);
    band += first * job->cut.pixel;
    normed_pixels normed = {.room = room, .picture = picture};
    for (int64_t pixel = 0; pixel < end - first; pixel++, band += job->cut.pixel) {
        const int64_t source = pixel * conv->source_width / conv->width;
        fill_pixel(job, conv->input ? normed_pixel(job, from, source, &normed) : from + source * depth, band);
    }
}

static void fill_rows(void *context, size_t begin, size_t end, int thread) {
    const convolution_job *job = context;
    float *room = job->rooms + thread * job->cut.room_floats;
    for (size_t i = begin; i < end; i++) {
        fill_row(job, job->first_seen + (int64_t)i, room);
    }
}

/** The gate of a panel's columns, for the picture of a row of the output. */
static const float *panel_gate(const convolution_job *job, int64_t row, int64_t panel) {
    const pld_convolution_operands *o = job->operands;
    const int64_t picture = row / job->conv->out_height;
    return o->gate ? o->gate + picture * o->gate_step + pld_panel_first(job->k, &job->conv->weights, panel)
                   : NULL;
}

/** What one call of the kernel takes: rows of the output of one picture, a panel, a piece of the depth. */
typedef struct product_place {
    int64_t row, rows, panel, pair, pairs;
} product_place;

/** The panel that mostly is next. */
static const uint32_t *next_panel(const convolution_job *job, const product_place *at) {
    const pld_panels *weights = &job->conv->weights;
    return at->panel + 1 < pld_panel_count(job->k, weights)
               ? pld_pairs_at(job->k, weights, job->operands->packed, at->panel + 1, 0, at->pair)
               : NULL;
}

static void run_product(const convolution_job *job, const product_place *at, const pld_panel_target *target) {
    const pld_convolution *conv = job->conv;
    const pld_convolution_operands *o = job->operands;
    const convolution_cut *cut = &job->cut;
    const int64_t all = conv->weights.columns;
    const int64_t from = (seen_row(job, at->row) - job->first_seen) * cut->seen_pixels;
    const bool first = at->pair == 0;
    const bool split = conv->weights.type == PLD_PANEL_SPLIT;
    const bool dense = conv->kernel == 1 && conv->stride == 1; /* no gap between rows */
    const float *bias = o->vector ? job->biases + at->row / conv->out_height * all : o->bias;
    job->k->pair_product(&(pld_pair_product){
        .left = job->seen + from * cut->pixel + at->pair,
        .left_row = conv->stride * cut->pixel,
        .run_rows = dense ? at->rows * conv->out_width : conv->out_width,
        .run_step = conv->stride * cut->seen_pixels * cut->pixel,
        .rows = at->rows * conv->out_width,
        .pairs = at->pairs,
        .taps = conv->weights.taps,
        .tap_at = job->tap_at,
        .panel = pld_pairs_at(job->k, &conv->weights, o->packed, at->panel, 0, at->pair),
        .next_panel = next_panel(job, at),
        .panel_tap = pld_pair_words(&conv->weights) * cut->pairs * job->k->panel_columns(),
        .left_low = split ? cut->pairs : 0,
        .panel_low = split ? cut->pairs * job->k->panel_columns() : 0,
        .bias = first && bias ? bias + pld_panel_first(job->k, &conv->weights, at->panel) : NULL,
        .gate = panel_gate(job, at->row, at->panel),
        .add = first ? target->add : target->out,
        .out = target->out,
        .out_row = target->out_row,
        .columns = pld_panel_width(job->k, &conv->weights, at->panel)});
}

/** A block of rows times panels [panel, last): each piece of a panel meets all rows of the block. */
static void multiply_panels(const convolution_job *job, product_place at, int64_t last) {
    const pld_convolution *conv = job->conv;
    const pld_convolution_operands *o = job->operands;
    const int64_t all = conv->weights.columns;
    const int64_t piece = conv->kernel == 1 ? PLD_PAIR_FLAT : job->k->pair_block().pairs;
    const int64_t panel = at.panel;
    for (at.pair = 0; at.pair < job->cut.pairs; at.pair += piece) {
        at.pairs = pld_smaller(piece, job->cut.pairs - at.pair);
        for (at.panel = panel; at.panel < last; at.panel++) {
            const int64_t to =
                at.row * conv->out_width * all + pld_panel_first(job->k, &conv->weights, at.panel);
            const pld_panel_target target = {(float *)o->out + to, o->residual ? o->residual + to : NULL,
                                             all};
            run_product(job, &at, &target);
        }
    }
}

/** The gate of sums [rows, 2·columns] of a block into its columns from `first` on. */
static void write_gated(const convolution_job *job, const product_place *at, int64_t first, int64_t columns,
                        float *sums) {
    const int64_t all = job->conv->weights.columns / 2;
    const int64_t to = at->row * all + first;
    if (!job->conv->to_pairs) {
        pld_gate_halves(job->k, job->conv->gating, sums, at->rows, columns, (float *)job->operands->out + to,
                        all);
        return;
    }
    float *room = sums + job->k->panel_columns() * 2 * job->k->pair_block().rows;
    pld_gate_halves(job->k, job->conv->gating, sums, at->rows, columns, room, columns);
    for (int64_t row = 0; row < at->rows; row++) {
        pld_pairs_round(job->k, room + row * columns, columns,
                        (uint32_t *)job->operands->out + (to + row * all) / 2);
    }
}

/** A block of rows times the panels of the two halves, [panel, last): sums [rows, 2·columns] of a panel and
 * its partner, then their gate. */
static void multiply_halves(const convolution_job *job, product_place at, int64_t last, float *sums) {
    const pld_panels *weights = &job->conv->weights;
    for (int64_t panel = at.panel; panel < last; panel += 2) {
        const int64_t columns = pld_panel_width(job->k, weights, panel);
        for (at.pair = 0; at.pair < job->cut.pairs; at.pair += PLD_PAIR_FLAT) {
            at.pairs = pld_smaller(PLD_PAIR_FLAT, job->cut.pairs - at.pair);
            for (at.panel = panel; at.panel < panel + 2; at.panel++) {
                const pld_panel_target target = {sums + (at.panel - panel) * columns, NULL, 2 * columns};
                run_product(job, &at, &target);
            }
        }
        write_gated(job, &at, pld_panel_first(job->k, weights, panel), columns, sums);
    }
}

/** Output rows [row, end) times panels [panel, last). */
static void multiply_part(const convolution_job *job, int64_t row, int64_t end, int64_t panel, int64_t last,
                          float *room) {
    const pld_convolution *conv = job->conv;
    const int64_t block = job->cut.block_rows;
    product_place at = {.panel = panel};
    for (; row < end; row = at.row + at.rows) {
        at.row = row;
        at.rows = pld_smaller(pld_smaller(block, end - row), conv->out_height - row % conv->out_height);
        if (conv->weights.halves) {
            multiply_halves(job, at, last, room);
        } else {
            multiply_panels(job, at, last);
        }
    }
}

static void multiply(void *context, size_t begin, size_t end, int thread) {
    const convolution_job *job = context;
    const int64_t step = pld_panels_together(&job->conv->weights);
    const int64_t groups = pld_panel_count(job->k, &job->conv->weights) / step;
    float *room = job->rooms + thread * job->cut.room_floats;
    for (int64_t item = (int64_t)begin; item < (int64_t)end; item++) {
        const int64_t r = item / job->panel_parts;
        const int64_t n = item % job->panel_parts;
        multiply_part(job, job->first_row + job->rows * r / job->row_parts,
                      job->first_row + job->rows * (r + 1) / job->row_parts,
                      groups * n / job->panel_parts * step, groups * (n + 1) / job->panel_parts * step, room);
    }
}

/** The rows of the band for the rows of the output in work: those that are there move to its beginning. */
static void move_band(convolution_job *job, float *room) {
    const int64_t row_words = job->cut.seen_pixels * job->cut.pixel;
    const int64_t first = seen_row(job, job->first_row);
    const int64_t kept = pld_larger(0, job->last_seen - first);
    memmove(job->band, job->band + (first - job->first_seen) * row_words,
            (size_t)(kept * row_words) * sizeof *job->band);
    job->first_seen = first;
    job->last_seen = seen_row(job, job->first_row + job->rows - 1) + job->conv->kernel;
    for (int64_t seen = first + kept; seen < job->last_seen; seen++) {
        fill_row(job, seen, room);
    }
}

/** Items: blocks of rows of the output. */
static void work_through_rows(void *context, size_t begin, size_t end, int thread) {
    const convolution_job *all = context;
    const convolution_cut *cut = &all->cut;
    float *room = all->rooms + thread * cut->room_floats;
    convolution_job own = *all;
    own.band = all->band + thread * cut->band_words;
    own.seen = own.band;
    own.first_row = (int64_t)begin * cut->block_rows;
    own.first_seen = own.last_seen = seen_row(&own, own.first_row); /* nothing */
    const int64_t last_row = pld_smaller((int64_t)end * cut->block_rows, cut->all_rows);
    for (; own.first_row < last_row; own.first_row += own.rows) {
        const int64_t height = own.conv->out_height;
        own.rows = pld_smaller(pld_smaller(cut->group_rows, last_row - own.first_row),
                               height - own.first_row % height);
        move_band(&own, room);
        multiply_part(&own, own.first_row, own.first_row + own.rows, 0,
                      pld_panel_count(own.k, &own.conv->weights), room);
    }
}

/** biases [B, N] = bias + vector. */
static void join_biases(const convolution_job *job) {
    const pld_convolution_operands *o = job->operands;
    const int64_t all = job->conv->weights.columns;
    for (int64_t i = 0; o->vector && i < job->conv->batch * all; i++) {
        job->biases[i] = (o->bias ? o->bias[i % all] : 0) + o->vector[i];
    }
}

/** Whole blocks of rows for each thread; fewer rows leave the panels to share out. */
static void share_out(convolution_job *job, int threads) {
    const int64_t blocks = pld_parts(job->rows * job->conv->out_width, job->k->pair_block().rows);
    const int64_t panels =
        pld_panel_count(job->k, &job->conv->weights) / pld_panels_together(&job->conv->weights);
    job->row_parts = pld_larger(1, pld_smaller(pld_smaller(threads, blocks), job->rows));
    job->panel_parts = pld_smaller(pld_parts(threads, job->row_parts), panels);
}

void pld_convolution_run(const pld_kernels *k, const pld_convolution *conv, int threads,
                         const pld_convolution_operands *operands) {
    convolution_job job = {.k = k,
                           .conv = conv,
                           .operands = operands,
                           .cut = cut_of(k, conv, threads, operands->vector != NULL)};
    for (int64_t tap = 0; tap < conv->weights.taps; tap++) {
        const int64_t pixel = tap / conv->kernel * job.cut.seen_pixels + tap % conv->kernel;
        job.tap_at[tap] = pixel * job.cut.pixel;
    }
    job.biases = operands->scratch;
    job.band = (uint32_t *)operands->scratch + job.cut.bias_floats;
    job.rooms = (float *)operands->scratch + job.cut.bias_floats + job.cut.bands * job.cut.band_words;
    job.seen = conv->from_pairs ? operands->x : job.band;
    join_biases(&job);
    if (job.cut.alone) {
        pld_parallel_for(threads, (size_t)pld_parts(job.cut.all_rows, job.cut.block_rows), work_through_rows,
                         &job);
        return;
    }
    for (; job.first_row < job.cut.all_rows; job.first_row += job.cut.group_rows) {
        job.rows = pld_smaller(job.cut.group_rows, job.cut.all_rows - job.first_row);
        job.first_seen = seen_row(&job, job.first_row);
        job.last_seen = seen_row(&job, job.first_row + job.rows - 1) + conv->kernel;
        if (!conv->from_pairs) {
            pld_parallel_for(threads, (size_t)(job.last_seen - job.first_seen), fill_rows, &job);
        }
        share_out(&job, threads);
        pld_parallel_for(threads, (size_t)(job.row_parts * job.panel_parts), multiply, &job);
    }
}
