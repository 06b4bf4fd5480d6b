/* SPDX-License-Identifier: Apache-2.0 */
/** Matrices of 8-bit integers for int8_product: weights in panels, and the left side of a block of rows.
 *
 * The depth is cut into pieces of PLD_INT8_DEPTH. Of each piece every row and every column is rotated and has a scale of its
 * own, so that numbers far larger than the others (Dettmers et al. 2022, arXiv 2208.07339) coarsen little
 * (tools/int8_schemes.py compares it with other ways). Weights:
 *
 *      [panel][piece]  scales [column in the panel] float32
 *                      sums of the integers [column] int32
 *                      integers [quad][column][4]                  filled up with zeros to whole PLD_INT8_STEP
 */
#ifndef PLD_KERNELS_INT8_H
#define PLD_KERNELS_INT8_H

#include "kernels/panels.h"

/** Bytes of all panels of a shape, whose depth is that of patches where there are taps. */
size_t pld_int8_bytes(const pld_kernels *k, const pld_panels *shape);

/** Weights of one panel, [columns of the panel, depth] float32, into its place in `packed`. */
void pld_int8_pack(const pld_kernels *k, const pld_panels *shape, const float *weights, int64_t panel,
                   void *packed);

/** A piece of a panel, as int8_product wants it but for words that are to be expanded. */
typedef struct pld_int8_piece {
    const float *scales;
    const int32_t *sums;
    const uint32_t *integers; /* [quads, panel_columns()] */
    int64_t quads;
} pld_int8_piece;

/** The piece that begins at `first` of the depth. */
pld_int8_piece pld_int8_at(const pld_kernels *k, const pld_panels *shape, const void *packed, int64_t panel,
                           int64_t first);

/** Words of a row in a block of the left side: of all pieces, or of the piece that begins at `first` where one ends there. */
int64_t pld_int8_row_words(const pld_kernels *k, int64_t depth);

#endif
