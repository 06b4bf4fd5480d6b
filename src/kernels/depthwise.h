/* SPDX-License-Identifier: Apache-2.0 */
/** Depthwise 3x3 convolutions of whole pictures, on several threads. */
#ifndef PLD_KERNELS_DEPTHWISE_H
#define PLD_KERNELS_DEPTHWISE_H

#include "kernels/kernels.h"

/** out [B, H, W, C'] = convolution of x [B, H, W, C] with weights [9, C], zeros past the edges, + bias [C]
 * (or NULL). C' is C or, where it is gated, C/2: of the channels (a, b) a·silu(b), as in SANA's mixed
 * feed-forward (Xie et al. 2024, arXiv 2410.10629). The weights of a file, [C, 1, 3, 3], are these
 * transposed. */
typedef struct pld_depthwise {
    int64_t batch, height, width, channels;
    bool gated;
    const float *x, *weights, *bias;
    float *out;
} pld_depthwise;

/** Run it. Needs no scratch; the result does not depend on the number of threads. */
void pld_depthwise_run(const pld_kernels *k, const pld_depthwise *depthwise, int threads);

#endif
