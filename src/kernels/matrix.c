/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks for the caches: rows × depth of the left side stay in the second level, one panel of that depth in the
 * first. Where many panels follow, the block is copied first: rows that lie a whole layer's width apart share
 * few sets of the cache, most of all where that is a power of two. */
#include "kernels/matrix.h"

#include <string.h>

#include "core/parallel.h"
#include "kernels/cuts.h"

enum {
    ROWS = 192,
    NARROW_PANEL = 16, /* columns of AVX2's */
    NARROW_DEPTH = 448,
    WIDE_DEPTH = 320,
    /* what is widened in the cache serves more rows of less depth, which is whole blocks of every type */
    STORED_ROWS = 704,
    STORED_DEPTH = 256,
    LEAST_COPIED = 12, /* panels that a copy of the left side must serve */
    PAIRS = 4,         /* of panels whose sums pass through the depth together */
    LEAST_ROWS = 96,   /* of an item */
    /* of an item of patches, which reads its own: panels enough to be worth it */
    LEAST_PATCHES = 24,
    LEAST_PANELS = 4
};

/** Numbers of the depth in a piece. */
static int64_t piece_depth(const pld_kernels *k, const pld_matrix *matrix) {
    return matrix->weights.type == PLD_PANEL_STORED ? STORED_DEPTH
           : k->panel_columns() <= NARROW_PANEL     ? NARROW_DEPTH
                                                    : WIDE_DEPTH;
}

/** Rows of a block of the left side. */
static int64_t most_rows(const pld_matrix *matrix) {
    return matrix->weights.type == PLD_PANEL_STORED ? STORED_ROWS : ROWS;
}

/** Floats that a thread wants for a piece of a panel, expanded, for a block's sums before their gate, and for a
 * block of patches. */
static size_t piece_floats(const pld_kernels *k, const pld_matrix *matrix) {
    return pld_panels_room(k, &matrix->weights, piece_depth(k, matrix));
}
static size_t sum_floats(const pld_kernels *k, const pld_matrix *matrix) {
    return matrix->weights.halves ? (size_t)(PAIRS * k->panel_columns() * 2 * most_rows(matrix)) : 0;
}

/** Of a block of the left side that is read or copied. */
static size_t left_floats(const pld_kernels *k, const pld_matrix *matrix) {
    const bool copied = pld_panel_count(k, &matrix->weights) >= LEAST_COPIED && !matrix->weights.halves;
    return matrix->patches.kernel || copied ? (size_t)(most_rows(matrix) * piece_depth(k, matrix)) : 0;
}

/** Of a thread. */
static size_t room_floats(const pld_kernels *k, const pld_matrix *matrix) {
    return piece_floats(k, matrix) + sum_floats(k, matrix) + left_floats(k, matrix);
}

size_t pld_matrix_scratch(const pld_kernels *k, const pld_matrix *matrix, int threads) {
    return (size_t)threads * room_floats(k, matrix) * sizeof(float);
}

/** One run: the rows are cut into row_parts, the panels, or pairs of them, into panel_parts. */
typedef struct matrix_job {
    const pld_kernels *k;
    const pld_matrix *matrix;
    const pld_matrix_operands *operands;
    int64_t row_parts, panel_parts;
} matrix_job;

/** A block of rows and a piece of the depth. */
typedef struct matrix_block {
    int64_t row, rows, depth, count;
    const float *left; /* [rows, count], rows left_row floats apart */
    int64_t left_row;
} matrix_block;

/** Find the left side of the block's piece, which meets so many panels; or read or copy it. */
static void place_left(const matrix_job *job, matrix_block *block, int64_t panels, float *room) {
    const pld_matrix *matrix = job->matrix;
    float *own = room + piece_floats(job->k, matrix) + sum_floats(job->k, matrix);
    const int64_t row = matrix->weights.depth;
    block->left = own;
    block->left_row = block->count;
    if (matrix->patches.kernel) {
        pld_patches_read(&matrix->patches, job->operands->left, block->row, block->rows, block->depth,
                         block->count, own);
        return;
    }
    const float *from = job->operands->left + block->row * row + block->depth;
    if (matrix->weights.halves || panels < LEAST_COPIED) {
        block->left_row = row;
        block->left = from;
        return;
    }
    for (int64_t i = 0; i < block->rows; i++) {
        memcpy(own + i * block->count, from + i * row, (size_t)block->count * sizeof *own);
    }
}

/** The gate of a panel's columns, for the rows from `row` on. */
static const float *panel_gate(const matrix_job *job, int64_t row, int64_t panel) {
    const pld_matrix_operands *o = job->operands;
    const int64_t vector = o->gate_rows ? row / o->gate_rows : 0;
    return o->gate ? o->gate + vector * o->gate_step + pld_panel_first(job->k, &job->matrix->weights, panel)
                   : NULL;
}

/** Rows of a block that begins with `row`: all have one gate. */
static int64_t block_rows(const matrix_job *job, int64_t row, int64_t end) {
    const pld_matrix_operands *o = job->operands;
    const int64_t rows = pld_smaller(most_rows(job->matrix), end - row);
    return o->gate_rows ? pld_smaller(rows, o->gate_rows - row % o->gate_rows) : rows;
}

/** The block times its piece of one panel. */
static void panel_piece(const matrix_job *job, const matrix_block *block, int64_t panel,
                        const pld_panel_target *target, float *room) {
    const pld_panels *weights = &job->matrix->weights;
    const pld_matrix_operands *o = job->operands;
    const float *bias = block->depth == 0 ? o->bias : NULL;
    job->k->panel_product(
        &(pld_panel_product){.left = block->left,
                             .left_row = block->left_row,
                             .rows = block->rows,
                             .depth = block->count,
                             .panel = pld_panels_read(job->k, weights, o->packed, panel - o->first_panel,
                                                      block->depth, block->count, room),
                             .bias = bias ? bias + pld_panel_first(job->k, weights, panel) : NULL,
                             .gate = panel_gate(job, block->row, panel),
                             .add = block->depth == 0 ? target->add : target->out,
                             .out = target->out,
                             .out_row = target->out_row,
                             .columns = pld_panel_width(job->k, weights, panel)});
}

/** The pieces of the depth, outermost, so that one of the left side meets all panels. */
static void multiply_panels(const matrix_job *job, matrix_block block, int64_t panel, int64_t last,
                            float *room) {
    const pld_panels *weights = &job->matrix->weights;
    const pld_matrix_operands *o = job->operands;
    const int64_t depth = piece_depth(job->k, job->matrix);
    for (; block.depth < weights->depth; block.depth += depth) {
        block.count = pld_smaller(depth, weights->depth - block.depth);
        place_left(job, &block, last - panel, room);
        for (int64_t n = panel; n < last; n++) {
            const int64_t at = block.row * weights->columns + pld_panel_first(job->k, weights, n);
            const pld_panel_target target = {o->out + at, o->residual ? o->residual + at : NULL,
                                             weights->columns};
            panel_piece(job, &block, n, &target, room);
        }
    }
}

/** PAIRS of panels and all of the depth at a time: sums [rows, 2·columns of the pairs], then their gate. */
static void multiply_halves(const matrix_job *job, matrix_block block, int64_t pair, int64_t last,
                            float *room) {
    const pld_panels *weights = &job->matrix->weights;
    const int64_t row = weights->columns / 2, depth = piece_depth(job->k, job->matrix);
    float *sums = room + piece_floats(job->k, job->matrix);
    for (int64_t next; pair < last; pair = next) {
        next = pld_smaller(pair + PAIRS, last);
        const int64_t first = pld_panel_first(job->k, weights, 2 * pair);
        const int64_t columns = pld_smaller(pld_panel_first(job->k, weights, 2 * next), row) - first;
        for (block.depth = 0; block.depth < weights->depth; block.depth += depth) {
            block.count = pld_smaller(depth, weights->depth - block.depth);
            place_left(job, &block, 2 * (next - pair), room);
            for (int64_t n = 2 * pair; n < 2 * next; n++) {
                const int64_t at = n % 2 * columns + pld_panel_first(job->k, weights, n - n % 2) - first;
                const pld_panel_target target = {sums + at, NULL, 2 * columns};
                panel_piece(job, &block, n, &target, room);
            }
        }
        pld_gate_halves(job->k, job->matrix->gating, sums, block.rows, columns,
                        job->operands->out + block.row * row + first, row);
    }
}

/** Rows [row, end) times panels, or pairs of them, [first, last). */
static void matrix_part(const matrix_job *job, int64_t row, int64_t end, int64_t first, int64_t last,
                        float *room) {
    for (matrix_block block; row < end; row += block.rows) {
        block = (matrix_block){.row = row, .rows = block_rows(job, row, end)};
        if (job->matrix->weights.halves) {
            multiply_halves(job, block, first, last, room);
        } else {
            multiply_panels(job, block, first, last, room);
        }
    }
}

int64_t pld_matrix_panel_groups(const pld_kernels *k, const pld_matrix *matrix) {
    return pld_panel_count(k, &matrix->weights) / pld_panels_together(&matrix->weights);
}

static void matrix_items(void *context, size_t begin, size_t end, int thread) {
    const matrix_job *job = context;
    const int64_t rows = job->matrix->rows;
    const int64_t panels = pld_matrix_panel_groups(job->k, job->matrix);
    float *room = (float *)job->operands->scratch + (size_t)thread * room_floats(job->k, job->matrix);
    for (int64_t item = (int64_t)begin; item < (int64_t)end; item++) {
        int64_t r = item / job->panel_parts;
        int64_t n = item % job->panel_parts;
        matrix_part(job, rows * r / job->row_parts, rows * (r + 1) / job->row_parts,
                    panels * n / job->panel_parts, panels * (n + 1) / job->panel_parts, room);
    }
}

/** Whole blocks of rows share a panel's expansion, as many for each thread; few rows leave the panels to share out. */
static void share_out(matrix_job *job, int threads) {
    const int64_t panels = pld_matrix_panel_groups(job->k, job->matrix);
    const int64_t workers = threads, rows = job->matrix->rows;
    job->row_parts = pld_smaller(workers * pld_parts(rows, workers * most_rows(job->matrix)),
                                 pld_larger(1, rows / LEAST_ROWS));
    job->panel_parts = pld_smaller(pld_parts(workers * PLD_LEAST_ITEMS, job->row_parts), panels);
    if (job->matrix->patches.kernel) {
        job->panel_parts = pld_smaller(job->panel_parts, pld_larger(1, panels / LEAST_PANELS));
        const int64_t wanted = pld_parts(workers * PLD_LEAST_ITEMS, job->panel_parts);
        job->row_parts = pld_larger(job->row_parts, pld_smaller(wanted, pld_larger(1, rows / LEAST_PATCHES)));
    }
}

void pld_matrix_run(const pld_kernels *k, const pld_matrix *matrix, int threads,
                    const pld_matrix_operands *operands) {
    matrix_job job = {k, matrix, operands, 1, 1};
    share_out(&job, threads);
    pld_parallel_for(threads, (size_t)(job.row_parts * job.panel_parts), matrix_items, &job);
}

void pld_matrix_run_panels(const pld_kernels *k, const pld_matrix *matrix, int64_t first, int64_t last,
                           const pld_matrix_operands *operands) {
    const matrix_job job = {k, matrix, operands, 1, 1};
    matrix_part(&job, 0, matrix->rows, first, last, operands->scratch);
}
