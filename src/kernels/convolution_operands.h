/* SPDX-License-Identifier: Apache-2.0 */
/** What one run of a convolution reads and writes, whichever way it is computed: kernels/convolution.h,
 * kernels/winograd/winograd.h. */
#ifndef PLD_KERNELS_CONVOLUTION_OPERANDS_H
#define PLD_KERNELS_CONVOLUTION_OPERANDS_H

#include "kernels/kernels.h"

/** What the input of a convolution goes through on its way, some pixels at a time. */
typedef enum pld_input_change {
    PLD_INPUT_KEPT,
    PLD_INPUT_SCALED, /**< scale·x + shift, by channel and picture, then SiLU: what a group norm comes to */
    PLD_INPUT_RMS,    /**< x / √(mean(x²) + epsilon) · scale, of each pixel, then SiLU */
    PLD_INPUT_SILU
} pld_input_change;

typedef struct pld_convolution_operands {
    const void *x; /* [B, source_height, source_width, C] float32, or pairs where those are asked for */
    const float *scale, *shift; /* of a changed input: [B, C] each, pictures factor_step floats apart */
    int64_t factor_step;
    float epsilon;       /* of PLD_INPUT_RMS */
    const void *packed;  /* the weights in panels */
    const float *bias;   /* [N] or NULL */
    const float *vector; /* [B, N] or NULL */
    const float *gate;   /* [B, N], pictures gate_step floats apart, or NULL: 1; of kernels/convolution.h */
    int64_t gate_step;
    const float *residual; /* [B, H_out, W_out, N], may be out; or NULL */
    void *out;             /* [B, H_out, W_out, N] float32, or pairs of it */
    void *scratch;         /* 64-byte aligned */
} pld_convolution_operands;

/** Pixels x [count, channels] of picture `picture` → out, the same; may be x. */
static inline void pld_change_input(const pld_kernels *k, const pld_convolution_operands *o,
                                    pld_input_change change, int64_t picture, const float *x, int64_t count,
                                    int64_t channels, float *out) {
    const int64_t factors = picture * o->factor_step;
    if (change == PLD_INPUT_SCALED) {
        k->scale_shift(x, count, channels, o->scale + factors, o->shift + factors, true, out);
        return;
    }
    if (change == PLD_INPUT_RMS) {
        k->rms_norm(x, count, channels, o->epsilon, o->scale, out);
        x = out;
    }
    k->silu(x, (size_t)(count * channels), out);
}

#endif
