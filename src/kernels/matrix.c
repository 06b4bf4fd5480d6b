/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks for the caches: ROWS × DEPTH of the left side stay in the second level, one panel of DEPTH in the
 * first. */
#include "kernels/matrix.h"

#include "core/parallel.h"

enum { ROWS = 240, DEPTH = 256 };

static size_t room_floats(const pld_kernels *k) {
    return (size_t)(DEPTH * k->panel_columns());
}

size_t pld_matrix_scratch(const pld_kernels *k, const pld_matrix *matrix, int threads) {
    return matrix->weights.type == PLD_PANEL_F32 ? 0 : (size_t)threads * room_floats(k) * sizeof(float);
}

/** One run: the rows are cut into row_parts, the panels into panel_parts. */
typedef struct matrix_job {
    const pld_kernels *k;
    const pld_matrix *matrix;
    const pld_matrix_operands *operands;
    int64_t row_parts, panel_parts;
} matrix_job;

/** Rows [row, row + rows) times rows [depth, depth + count) of the weights of one panel. */
static void panel_piece(const matrix_job *job, int64_t row, int64_t rows, int64_t depth, int64_t count,
                        int64_t panel, float *room) {
    const pld_matrix *m = job->matrix;
    const pld_matrix_operands *o = job->operands;
    const int64_t width = job->k->panel_columns();
    const int64_t column = panel * width;
    const int64_t columns = m->weights.columns - column;
    const int64_t at = row * m->weights.columns + column;
    const bool first = depth == 0;
    const float *residual = o->residual ? o->residual + at : NULL;
    job->k->panel_product(&(pld_panel_product){
        .left = o->left + row * m->weights.depth + depth,
        .left_row = m->weights.depth,
        .rows = rows,
        .depth = count,
        .panel = pld_panels_read(job->k, &m->weights, o->packed, panel, depth, count, room),
        .bias = first && o->bias ? o->bias + column : NULL,
        .add = first ? residual : o->out + at,
        .out = o->out + at,
        .out_row = m->weights.columns,
        .columns = columns < width ? columns : width});
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/** Rows [row, end) times panels [panel, last). */
static void matrix_part(const matrix_job *job, int64_t row, int64_t end, int64_t panel, int64_t last,
                        float *room) {
    const int64_t depth = job->matrix->weights.depth;
    for (; row < end; row += ROWS) {
        for (int64_t at = 0; at < depth; at += DEPTH) {
            for (int64_t n = panel; n < last; n++) {
                panel_piece(job, row, smaller(ROWS, end - row), at, smaller(DEPTH, depth - at), n, room);
            }
        }
    }
}

static void matrix_items(void *context, size_t begin, size_t end, int thread) {
    const matrix_job *job = context;
    const int64_t rows = job->matrix->rows;
    const int64_t panels = pld_panel_count(job->k, job->matrix->weights.columns);
    float *room = (float *)job->operands->scratch + (size_t)thread * room_floats(job->k);
    for (int64_t item = (int64_t)begin; item < (int64_t)end; item++) {
        int64_t r = item / job->panel_parts;
        int64_t n = item % job->panel_parts;
        matrix_part(job, rows * r / job->row_parts, rows * (r + 1) / job->row_parts,
                    panels * n / job->panel_parts, panels * (n + 1) / job->panel_parts, room);
    }
}

void pld_matrix_run(const pld_kernels *k, const pld_matrix *matrix, int threads,
                    const pld_matrix_operands *operands) {
    const int64_t panels = pld_panel_count(k, matrix->weights.columns);
    /* Whole blocks of rows for each thread share a panel's expansion; fewer rows leave the panels to share
     * out.
     */
    int64_t row_parts = smaller(threads, (matrix->rows + ROWS - 1) / ROWS);
    row_parts = row_parts < 1 ? 1 : row_parts;
    matrix_job job = {k, matrix, operands, row_parts, smaller((threads + row_parts - 1) / row_parts, panels)};
    pld_parallel_for(threads, (size_t)(job.row_parts * job.panel_parts), matrix_items, &job);
}
