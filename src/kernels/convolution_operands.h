/* SPDX-License-Identifier: Apache-2.0 */
/** What one run of a convolution reads and writes, whichever way it is computed: kernels/convolution.h,
 * kernels/winograd/winograd.h. */
#ifndef PLD_KERNELS_CONVOLUTION_OPERANDS_H
#define PLD_KERNELS_CONVOLUTION_OPERANDS_H

#include <stdint.h>

typedef struct pld_convolution_operands {
    const void *x; /* [B, source_height, source_width, C] float32, or pairs where those are asked for */
    const float *scale, *shift; /* [B, C] each, pictures factor_step floats apart; with normalise */
    int64_t factor_step;
    const void *packed;  /* the weights in panels */
    const float *bias;   /* [N] or NULL */
    const float *vector; /* [B, N] or NULL */
    const float *gate;   /* [B, N], pictures gate_step floats apart, or NULL: 1; of kernels/convolution.h */
    int64_t gate_step;
    const float *residual; /* [B, H_out, W_out, N], may be out; or NULL */
    void *out;             /* [B, H_out, W_out, N] float32, or pairs of it */
    void *scratch;         /* 64-byte aligned */
} pld_convolution_operands;

#endif
