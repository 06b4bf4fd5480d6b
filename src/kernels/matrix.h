/* SPDX-License-Identifier: Apache-2.0 */
/** Linear layers: rows of activations times packed weights, on several threads. */
#ifndef PLD_KERNELS_MATRIX_H
#define PLD_KERNELS_MATRIX_H

#include "kernels/panels.h"

/** out [rows, N] = left [rows, C] · weightsᵀ + bias, or out += that. weights.columns is N, weights.depth C.
 */
typedef struct pld_matrix {
    pld_panels weights;
    int64_t rows;
    bool accumulate;
} pld_matrix;

/** Bytes of scratch that a run on so many threads needs. */
size_t pld_matrix_scratch(const pld_kernels *k, const pld_matrix *matrix, int threads);

/** Run it; `bias` [N] or NULL; scratch 64-byte aligned. The result does not depend on the number of threads.
 */
void pld_matrix_run(const pld_kernels *k, const pld_matrix *matrix, int threads, const float *left,
                    const void *packed, const float *bias, float *out, void *scratch);

#endif
