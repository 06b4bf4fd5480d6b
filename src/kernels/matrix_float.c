/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of floats times panels that are floats in the cache. Where many panels follow, a block of the left side is copied
 * first: rows that lie a whole layer's width apart share few sets of the cache, most of all where that is a power of
 * two. */
#include <string.h>

#include "kernels/cuts.h"
#include "kernels/matrix_way.h"

enum {
    ROWS = 192,
    NARROW_PANEL = 16, /* columns of AVX2's */
    NARROW_DEPTH = 448,
    WIDE_DEPTH = 320,
    /* what is widened in the cache serves more rows of less depth, which is whole blocks of every type */
    STORED_ROWS = 704,
    STORED_DEPTH = 256,
    LEAST_COPIED = 12 /* panels that a copy of the left side must serve */
};

static int64_t float_depth(const pld_kernels *k) {
    return k->panel_columns() <= NARROW_PANEL ? NARROW_DEPTH : WIDE_DEPTH;
}

static int64_t stored_depth(const pld_kernels *k) {
    (void)k;
    return STORED_DEPTH;
}

static const pld_matrix_way *way_of(const pld_matrix *matrix) {
    return matrix->weights.type == PLD_PANEL_STORED ? &pld_matrix_way_stored : &pld_matrix_way_f32;
}

static size_t piece_floats(const pld_kernels *k, const pld_matrix *matrix) {
    return pld_panels_room(k, &matrix->weights, way_of(matrix)->depth(k));
}

static size_t left_floats(const pld_kernels *k, const pld_matrix *matrix) {
    const bool copied = pld_panel_count(k, &matrix->weights) >= LEAST_COPIED && !matrix->weights.halves;
    const pld_matrix_way *way = way_of(matrix);
    return matrix->patches.kernel || copied ? (size_t)(way->rows * way->depth(k)) : 0;
}

static void place_left(const pld_matrix_job *job, pld_matrix_block *block, int64_t panels, float *room) {
    const int64_t row = job->matrix->weights.depth;
    block->left = room;
    block->left_row = block->count;
    if (pld_matrix_reads_patches(job, block, room)) {
        return;
    }
    const float *from = job->operands->left + block->row * row + block->depth;
    if (job->matrix->weights.halves || panels < LEAST_COPIED) {
        block->left_row = row;
        block->left = from;
        return;
    }
    for (int64_t i = 0; i < block->rows; i++) {
        memcpy(room + i * block->count, from + i * row, (size_t)block->count * sizeof *room);
    }
}

static void multiply(const pld_matrix_job *job, const pld_matrix_block *block, int64_t panel,
                     const pld_panel_output *to, float *room) {
    const pld_matrix_operands *o = job->operands;
    const float *weights = pld_panels_read(job->k, &job->matrix->weights, o->packed, panel - o->first_panel,
                                           block->depth, block->count, room);
    job->k->panel_product(
        &(pld_panel_product){block->left, block->left_row, block->rows, block->count, weights, *to});
}

const pld_matrix_way pld_matrix_way_f32 = {ROWS, float_depth, piece_floats, left_floats,
                                           NULL, place_left,  multiply};
const pld_matrix_way pld_matrix_way_stored = {STORED_ROWS, stored_depth, piece_floats, left_floats,
                                              NULL,        place_left,   multiply};
