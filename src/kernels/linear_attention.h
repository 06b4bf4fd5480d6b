/* SPDX-License-Identifier: Apache-2.0 */
/** Linear attention with relu as its feature map (SANA's self-attention, and the multi-scale one of its
 *  autoencoder): out = relu(q)·(Σ relu(k)·v) / (relu(q)·Σ relu(k) + epsilon), without a map of tokens by
 * tokens. diffusers' epsilon is 1e-15. */
#ifndef PLD_KERNELS_LINEAR_ATTENTION_H
#define PLD_KERNELS_LINEAR_ATTENTION_H

#include "kernels/kernels.h"

/** Element (b, token, head, i) of query is query[b·batch_stride + token·token_stride + head·head_stride + i],
 *  and likewise of key and value; out has strides of its own and overlaps none of them. */
typedef struct pld_linear_attention {
    int64_t batch, tokens;
    int heads, head_size;
    const float *query, *key, *value; /* [batch, tokens, heads, head_size] */
    int64_t batch_stride, token_stride, head_stride;
    float *out;
    int64_t out_batch_stride, out_token_stride, out_head_stride;
    float epsilon;
} pld_linear_attention;

/** Bytes of scratch that a run on so many threads needs. */
size_t pld_linear_attention_scratch(const pld_linear_attention *attention, int threads);

/** Run it; `scratch` is 64-byte aligned. The result does not depend on the number of threads. */
void pld_linear_attention_run(const pld_kernels *k, const pld_linear_attention *attention, int threads,
                              void *scratch);

#endif
