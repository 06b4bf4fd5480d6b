/* SPDX-License-Identifier: Apache-2.0 */
/** Depthwise convolutions of whole pictures, on several threads. */
#ifndef PLD_KERNELS_DEPTHWISE_H
#define PLD_KERNELS_DEPTHWISE_H

#include "kernels/kernels.h"

/** out [B, H, W, C'] = convolution of x [B, H, W, C] with weights [side, side, C], zeros past the edges, + bias [C]
 * (or NULL). C' is C or, where it is gated, C/2: of the channels (a, b) a·silu(b), as in SANA's mixed
 * feed-forward (Xie et al. 2024, arXiv 2410.10629). The weights of a file, [C, 1, side, side], are
 * these transposed. */
typedef struct pld_depthwise {
    int64_t batch, height, width, channels;
    bool gated;
    int64_t side; /* 3 or 5 */
    const float *x, *weights, *bias;
    float *out;
} pld_depthwise;

/** Run it. Needs no scratch; the result does not depend on the number of threads. */
void pld_depthwise_run(const pld_kernels *k, const pld_depthwise *depthwise, int threads);

#endif
