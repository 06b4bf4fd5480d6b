/* SPDX-License-Identifier: Apache-2.0 */
/** Shared by matrix.c and the files of its ways alone: how blocks of rows meet panels of a type. */
#ifndef PLD_KERNELS_MATRIX_WAY_H
#define PLD_KERNELS_MATRIX_WAY_H

#include "kernels/matrix.h"

/** One run: the rows are cut into row_parts, the panels, or pairs of them, into panel_parts. */
typedef struct pld_matrix_job {
    const pld_kernels *k;
    const pld_matrix *matrix;
    const pld_matrix_operands *operands;
    int64_t row_parts, panel_parts;
} pld_matrix_job;

/** A block of rows and a piece of the depth. */
typedef struct pld_matrix_block {
    int64_t row, rows, depth, count;
    const float *left; /* [rows, count], rows left_row floats apart; of 8-bit integers words */
    int64_t left_row;
    const float *scales; /* of 8-bit integers: [rows] */
} pld_matrix_block;

/** What blocks of rows do with panels of some types. Floats of room are of one thread. */
typedef struct pld_matrix_way {
    int64_t rows; /* of a block */
    int64_t (*depth)(const pld_kernels *k);
    /** Of a piece of a panel, expanded; of a block of the left side. */
    size_t (*piece_floats)(const pld_kernels *k, const pld_matrix *matrix);
    size_t (*left_floats)(const pld_kernels *k, const pld_matrix *matrix);
    /** Make what a block's pieces have in common; NULL: nothing. `room` is that of the left side. */
    void (*begin)(const pld_matrix_job *job, const pld_matrix_block *block, float *room);
    /** Find the left side of the block's piece, which meets so many panels; or read or copy it into the room. */
    void (*place)(const pld_matrix_job *job, pld_matrix_block *block, int64_t panels, float *room);
    /** The block times its piece of one panel, expanded in the room. */
    void (*multiply)(const pld_matrix_job *job, const pld_matrix_block *block, int64_t panel,
                     const pld_panel_output *to, float *room);
} pld_matrix_way;

extern const pld_matrix_way pld_matrix_way_f32;    /* numbers of 16 or 32 bits */
extern const pld_matrix_way pld_matrix_way_stored; /* what is widened from fewer */
extern const pld_matrix_way pld_matrix_way_int8;   /* 8-bit integers on both sides */

/** A block of patches, or nothing where there are none. */
static inline bool pld_matrix_reads_patches(const pld_matrix_job *job, const pld_matrix_block *block,
                                            float *to) {
    const pld_matrix *matrix = job->matrix;
    if (matrix->patches.kernel) {
        pld_patches_read(&matrix->patches, job->operands->left, block->row, block->rows, block->depth,
                         block->count, to);
    }
    return matrix->patches.kernel > 0;
}

#endif
