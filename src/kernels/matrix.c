/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks for the caches: rows × depth of the left side stay in the second level, one panel of that depth in the
 * first. */
#include "core/parallel.h"
#include "kernels/cuts.h"
#include "kernels/matrix_way.h"

enum {
    PAIRS = 4,       /* of panels whose sums pass through the depth together */
    LEAST_ROWS = 96, /* of an item */
    /* of an item of patches, which reads its own: panels enough to be worth it */
    LEAST_PATCHES = 24,
    LEAST_PANELS = 4
};

static const pld_matrix_way *way_of(const pld_matrix *matrix) {
    return matrix->weights.type == PLD_PANEL_STORED ? &pld_matrix_way_stored
           : matrix->weights.type == PLD_PANEL_INT8 ? &pld_matrix_way_int8
                                                    : &pld_matrix_way_f32;
}

/** Floats of a thread: a piece of a panel, a block's sums before their gate, a block of the left side. */
typedef struct matrix_rooms {
    size_t piece, sums, left;
} matrix_rooms;

static matrix_rooms rooms_of(const pld_kernels *k, const pld_matrix *matrix) {
    const pld_matrix_way *way = way_of(matrix);
    return (matrix_rooms){way->piece_floats(k, matrix),
                          matrix->weights.halves ? (size_t)(PAIRS * k->panel_columns() * 2 * way->rows) : 0,
                          way->left_floats(k, matrix)};
}

static size_t room_floats(const pld_kernels *k, const pld_matrix *matrix) {
    const matrix_rooms rooms = rooms_of(k, matrix);
    return rooms.piece + rooms.sums + rooms.left;
}

size_t pld_matrix_scratch(const pld_kernels *k, const pld_matrix *matrix, int threads) {
    return (size_t)threads * room_floats(k, matrix) * sizeof(float);
}

static float *left_room(const pld_matrix_job *job, float *room) {
    const matrix_rooms rooms = rooms_of(job->k, job->matrix);
    return room + rooms.piece + rooms.sums;
}

/** The gate of a panel's columns, for the rows from `row` on. */
static const float *panel_gate(const pld_matrix_job *job, int64_t row, int64_t panel) {
    const pld_matrix_operands *o = job->operands;
    const int64_t vector = o->gate_rows ? row / o->gate_rows : 0;
    return o->gate ? o->gate + vector * o->gate_step + pld_panel_first(job->k, &job->matrix->weights, panel)
                   : NULL;
}

/** Rows of a block that begins with `row`: all have one gate. */
static int64_t block_rows(const pld_matrix_job *job, int64_t row, int64_t end) {
    const pld_matrix_operands *o = job->operands;
    const int64_t rows = pld_smaller(way_of(job->matrix)->rows, end - row);
    return o->gate_rows ? pld_smaller(rows, o->gate_rows - row % o->gate_rows) : rows;
}

/** The block times its piece of one panel. */
static void panel_piece(const pld_matrix_job *job, const pld_matrix_block *block, int64_t panel,
                        const pld_panel_target *target, float *room) {
    const pld_panels *weights = &job->matrix->weights;
    const pld_matrix_operands *o = job->operands;
    const float *bias = block->depth == 0 ? o->bias : NULL;
    const pld_panel_output to = {.bias = bias ? bias + pld_panel_first(job->k, weights, panel) : NULL,
                                 .gate = panel_gate(job, block->row, panel),
                                 .add = block->depth == 0 ? target->add : target->out,
                                 .out = target->out,
                                 .out_row = target->out_row,
                                 .columns = pld_panel_width(job->k, weights, panel)};
    way_of(job->matrix)->multiply(job, block, panel, &to, room);
}

/** The pieces of the depth, outermost, so that one of the left side meets all panels. */
static void multiply_panels(const pld_matrix_job *job, pld_matrix_block block, int64_t panel, int64_t last,
                            float *room) {
    const pld_panels *weights = &job->matrix->weights;
    const pld_matrix_operands *o = job->operands;
    const pld_matrix_way *way = way_of(job->matrix);
    const int64_t depth = way->depth(job->k);
    for (; block.depth < weights->depth; block.depth += depth) {
        block.count = pld_smaller(depth, weights->depth - block.depth);
        way->place(job, &block, last - panel, left_room(job, room));
        for (int64_t n = panel; n < last; n++) {
            const int64_t at = block.row * weights->columns + pld_panel_first(job->k, weights, n);
            const pld_panel_target target = {o->out + at, o->residual ? o->residual + at : NULL,
                                             weights->columns};
            panel_piece(job, &block, n, &target, room);
        }
    }
}

/** PAIRS of panels and all of the depth at a time: sums [rows, 2·columns of the pairs], then their gate. */
static void multiply_halves(const pld_matrix_job *job, pld_matrix_block block, int64_t pair, int64_t last,
                            float *room) {
    const pld_panels *weights = &job->matrix->weights;
    const pld_matrix_way *way = way_of(job->matrix);
    const int64_t row = weights->columns / 2, depth = way->depth(job->k);
    float *sums = room + rooms_of(job->k, job->matrix).piece;
    for (int64_t next; pair < last; pair = next) {
        next = pld_smaller(pair + PAIRS, last);
        const int64_t first = pld_panel_first(job->k, weights, 2 * pair);
        const int64_t columns = pld_smaller(pld_panel_first(job->k, weights, 2 * next), row) - first;
        for (block.depth = 0; block.depth < weights->depth; block.depth += depth) {
            block.count = pld_smaller(depth, weights->depth - block.depth);
            way->place(job, &block, 2 * (next - pair), left_room(job, room));
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
static void matrix_part(const pld_matrix_job *job, int64_t row, int64_t end, int64_t first, int64_t last,
                        float *room) {
    const pld_matrix_way *way = way_of(job->matrix);
    for (pld_matrix_block block; row < end; row += block.rows) {
        block = (pld_matrix_block){.row = row, .rows = block_rows(job, row, end)};
        if (way->begin) {
            way->begin(job, &block, left_room(job, room));
        }
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
    const pld_matrix_job *job = context;
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
static void share_out(pld_matrix_job *job, int threads) {
    const int64_t panels = pld_matrix_panel_groups(job->k, job->matrix);
    const int64_t workers = threads, rows = job->matrix->rows;
    job->row_parts = pld_smaller(workers * pld_parts(rows, workers * way_of(job->matrix)->rows),
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
    pld_matrix_job job = {k, matrix, operands, 1, 1};
    share_out(&job, threads);
    pld_parallel_for(threads, (size_t)(job.row_parts * job.panel_parts), matrix_items, &job);
}

void pld_matrix_run_panels(const pld_kernels *k, const pld_matrix *matrix, int64_t first, int64_t last,
                           const pld_matrix_operands *operands) {
    const pld_matrix_job job = {k, matrix, operands, 1, 1};
    matrix_part(&job, 0, matrix->rows, first, last, operands->scratch);
}
