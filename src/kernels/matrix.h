/* SPDX-License-Identifier: Apache-2.0 */
/** Linear layers: rows of activations times packed weights, on several threads; and convolutions as the same
 * product of patches (kernels/patches.h). */
#ifndef PLD_KERNELS_MATRIX_H
#define PLD_KERNELS_MATRIX_H

#include "kernels/gate_halves.h"
#include "kernels/panels.h"
#include "kernels/patches.h"

/** out [rows, N] = gate·(left [rows, C] · weightsᵀ + bias) + residual. weights.columns is N, weights.depth C.
 * With weights.halves a gate of its own kind follows: of the N columns (a, b), out [rows, N/2]; no factors,
 * no residual. */
typedef struct pld_matrix {
    pld_panels weights;
    int64_t rows;
    pld_gating gating;
    pld_patches patches; /* without halves: `left` is the input of a convolution of C = kernel² · channels */
} pld_matrix;

typedef struct pld_matrix_operands {
    const float *left;     /* [rows, C], or what patches are taken from */
    const void *packed;    /* the weights in panels */
    const float *bias;     /* [N] or NULL */
    const float *residual; /* [rows, N], may be out; or NULL */
    float *out;            /* [rows, N], or [rows, N/2] */
    void *scratch;         /* 64-byte aligned */
    const float *gate;     /* [rows / gate_rows, N], one after the other gate_step floats apart; or NULL: 1 */
    int64_t gate_rows;     /* 0: all rows have one gate */
    int64_t gate_step;
    int64_t first_panel; /* with which `packed` begins; 0 of whole weights */
} pld_matrix_operands;

/** Bytes of scratch that a run on so many threads needs. */
size_t pld_matrix_scratch(const pld_kernels *k, const pld_matrix *matrix, int threads);

/** Run it. The result does not depend on the number of threads. */
void pld_matrix_run(const pld_kernels *k, const pld_matrix *matrix, int threads,
                    const pld_matrix_operands *operands);

/** All rows times panels [first, last), or pairs of panels of halves, on the caller's thread alone, with the bytes that
 * pld_matrix_run gives. The scratch is that of one thread. */
void pld_matrix_run_panels(const pld_kernels *k, const pld_matrix *matrix, int64_t first, int64_t last,
                           const pld_matrix_operands *operands);

/** What of a matrix's panels pld_matrix_run_panels counts: panels, or pairs of them. */
int64_t pld_matrix_panel_groups(const pld_kernels *k, const pld_matrix *matrix);

#endif
