/* SPDX-License-Identifier: Apache-2.0 */
/** Linear layers of groups of channels that know nothing of each other: a matrix of small squares on the diagonal. */
#ifndef PLD_KERNELS_GROUPED_H
#define PLD_KERNELS_GROUPED_H

#include "kernels/kernels.h"

/** out [rows, groups·N] of x [rows, groups·C]: of group g, [rows, N] = [rows, C] · weights[g] [N, C] transposed. */
typedef struct pld_grouped {
    int64_t rows, groups, depth, columns; /* C, N */
    const float *x;
    const void *packed;
    float *out;
} pld_grouped;

/** Bytes of the packed weights. */
size_t pld_grouped_bytes(const pld_kernels *k, const pld_grouped *grouped);

/** Weights of one group, [N, C], into their place in `packed`. */
void pld_grouped_pack(const pld_kernels *k, const pld_grouped *grouped, const float *weights, int64_t group,
                      void *packed);

/** Run it. Needs no scratch; the result does not depend on the number of threads. */
void pld_grouped_run(const pld_kernels *k, const pld_grouped *grouped, int threads);

#endif
