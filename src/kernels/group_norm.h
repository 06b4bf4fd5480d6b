/* SPDX-License-Identifier: Apache-2.0 */
/** Group normalisation of token-major activations. */
#ifndef PLD_KERNELS_GROUP_NORM_H
#define PLD_KERNELS_GROUP_NORM_H

#include "kernels/kernels.h"

/** One picture: statistics over all tokens and the channels of a group. */
typedef struct pld_group_norm_problem {
    const float *x; /* [tokens, channels] */
    float *out;     /* [tokens, channels]; may be x */
    int64_t tokens, channels;
    int64_t groups; /* divides channels */
    float epsilon;
    const float *weight, *bias; /* [channels] each, or NULL */
    bool silu;                  /* out = SiLU of the normalised */
} pld_group_norm_problem;

/** Bytes of scratch for one call; 0 when the sizes make no sense. */
size_t pld_group_norm_scratch_size(int64_t channels, int64_t groups, int threads);

/** out = (x − mean) / √(variance + epsilon) · weight + bias. `scratch` 8-byte aligned, of the size above.
 *  Chunks of tokens are fixed and merged in order, in double: the result does not depend on `threads`. */
void pld_group_norm(const pld_kernels *kernels, const pld_group_norm_problem *problem, int threads,
                    void *scratch);

/** The same without the output: scale and shift, [channels] each, where out = scale·x + shift. */
void pld_group_norm_affine(const pld_kernels *kernels, const pld_group_norm_problem *problem, int threads,
                           void *scratch, float *scale, float *shift);

#endif
