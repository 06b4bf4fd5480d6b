/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of floats that become 8-bit integers, times panels of them. All pieces of a block of rows are converted before the
 * first panel, since every panel meets each of them:
 *
 *      [piece][row]    words, then
 *      [piece][row]    scales, then
 *      [row, PLD_INT8_DEPTH]   floats of patches, where they are read */
#include "kernels/cuts.h"
#include "kernels/int8.h"
#include "kernels/matrix_way.h"

enum { ROWS = 192 };

static int64_t int8_depth(const pld_kernels *k) {
    (void)k;
    return PLD_INT8_DEPTH;
}

/** Rows of a block: no more than there are. */
static int64_t block_rows(const pld_matrix *matrix) {
    return pld_smaller(ROWS, matrix->rows);
}

static size_t piece_floats(const pld_kernels *k, const pld_matrix *matrix) {
    (void)matrix;
    return k->int8_words() == 1 ? 0 : (size_t)(pld_int8_row_words(k, PLD_INT8_DEPTH) * k->panel_columns());
}

static int64_t scale_floats(const pld_matrix *matrix) {
    return pld_whole_lines(block_rows(matrix) * pld_parts(matrix->weights.depth, PLD_INT8_DEPTH));
}

static size_t left_floats(const pld_kernels *k, const pld_matrix *matrix) {
    const int64_t words = block_rows(matrix) * pld_int8_row_words(k, matrix->weights.depth);
    const int64_t patches = matrix->patches.kernel ? block_rows(matrix) * PLD_INT8_DEPTH : 0;
    return (size_t)(pld_whole_lines(words) + scale_floats(matrix) + patches);
}

/** Where the parts of a block's room are for the piece at `depth`. */
typedef struct left_place {
    uint32_t *words; /* [rows, row_words] */
    int64_t row_words;
    float *scales;  /* [rows] */
    float *patches; /* [rows, PLD_INT8_DEPTH] */
} left_place;

static left_place place_of(const pld_matrix_job *job, const pld_matrix_block *block, float *room) {
    const int64_t rows = block_rows(job->matrix), all = job->matrix->weights.depth;
    const int64_t words = pld_whole_lines(rows * pld_int8_row_words(job->k, all));
    float *scales = room + words;
    return (left_place){(uint32_t *)(void *)room + rows * pld_int8_row_words(job->k, block->depth),
                        pld_int8_row_words(job->k, pld_smaller(PLD_INT8_DEPTH, all - block->depth)),
                        scales + block->depth / PLD_INT8_DEPTH * rows, scales + scale_floats(job->matrix)};
}

static void begin(const pld_matrix_job *job, const pld_matrix_block *rows, float *room) {
    const int64_t all = job->matrix->weights.depth;
    pld_matrix_block block = *rows;
    for (block.depth = 0; block.depth < all; block.depth += PLD_INT8_DEPTH) {
        block.count = pld_smaller(PLD_INT8_DEPTH, all - block.depth);
        const left_place at = place_of(job, &block, room);
        const float *from = job->operands->left + block.row * all + block.depth;
        const bool patches = pld_matrix_reads_patches(job, &block, at.patches);
        job->k->int8_rows(patches ? at.patches : from, patches ? block.count : all, block.rows, block.count,
                          at.words, at.row_words, at.scales);
    }
}

static void place_left(const pld_matrix_job *job, pld_matrix_block *block, int64_t panels, float *room) {
    (void)panels;
    const left_place at = place_of(job, block, room);
    block->left = (const float *)(const void *)at.words;
    block->left_row = at.row_words;
    block->scales = at.scales;
}

static void multiply(const pld_matrix_job *job, const pld_matrix_block *block, int64_t panel,
                     const pld_panel_output *to, float *room) {
    const pld_matrix_operands *o = job->operands;
    const pld_int8_piece piece =
        pld_int8_at(job->k, &job->matrix->weights, o->packed, panel - o->first_panel, block->depth);
    job->k->int8_product(&(pld_int8_product){
        .left = (const uint32_t *)(const void *)block->left,
        .left_row = block->left_row,
        .left_scales = block->scales,
        .rows = block->rows,
        .words = block->left_row,
        .panel = job->k->int8_panel(piece.integers, piece.quads, (uint32_t *)(void *)room),
        .scales = piece.scales,
        .sums = piece.sums,
        .to = *to});
}

const pld_matrix_way pld_matrix_way_int8 = {ROWS,  int8_depth, piece_floats, left_floats,
                                            begin, place_left, multiply};
