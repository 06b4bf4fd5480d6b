/* SPDX-License-Identifier: Apache-2.0 */
/** Linear layers and convolutions with bfloat16 operands, or split ones, and float32 sums.
 *
 * A convolution is the sum of its taps' matrix products (implicit GEMM): the pixels that one tap reads for a
 * row of the output stand in the input at equal steps, so each tap is pair_product on a shifted left side. A
 * linear layer is the case of one tap. Activations stay float32 in memory; some rows at a time are normalised
 * or enlarged, rounded to bfloat16 and put into a band with its edge of zeros, which all taps and panels then
 * read. Scratch:
 *
 *      | biases [B, N] | bands [1 or threads][rows, W', pixel] | rooms [threads] |
 *
 * A room is for normalised pixels, or for sums before a gate.
 * A pixel of the band is its pairs, of split numbers the high ones and then the low ones, and a line of the
 * cache where the next pixel's would otherwise fall on the same sets.
 */
#ifndef PLD_KERNELS_CONVOLUTION_H
#define PLD_KERNELS_CONVOLUTION_H

#include "kernels/convolution_operands.h"
#include "kernels/gate_halves.h"
#include "kernels/pairs.h"

enum { PLD_CONVOLUTION_MOST_TAPS = 49 };

/** out [B, H_out, W_out, N] = gate·(convolution of x' + bias + vector) + residual, where x' [B, H, W, C] is
 * x, normalised or enlarged if that is asked. weights: pairs, split or not, of N columns, depth C, kernel²
 * taps, at most PLD_CONVOLUTION_MOST_TAPS. With weights.halves, of a linear layer alone, a gate follows: of
 * the N columns (a, b), out [.., N/2]; no factors, no residual. x may be pairs, and out; out of a linear
 * layer with N <= C may be x. */
typedef struct pld_convolution {
    pld_panels weights;
    int64_t kernel, stride, pad_before; /* a side; pixels beyond the edge are zeros */
    int64_t batch, height, width;       /* B, H, W */
    int64_t out_height, out_width;
    int64_t source_height,
        source_width; /* of x; other than H, W: nearest upsampling, floor(y·source_height/H) */
    pld_input_change input;
    bool from_pairs;   /* of a linear layer without any of that, C even, not split: x is rounded, in pairs */
    bool to_pairs;     /* of weights.halves, N/2 even: so is out */
    pld_gating gating; /* of weights.halves */
    int64_t room;      /* words that the band may take; 0: what suits a cache */
} pld_convolution;

/** Bytes of scratch that a run on so many threads needs. */
size_t pld_convolution_scratch(const pld_kernels *k, const pld_convolution *conv, int threads);

/** Run it. The result does not depend on the number of threads. */
void pld_convolution_run(const pld_kernels *k, const pld_convolution *conv, int threads,
                         const pld_convolution_operands *operands);

#endif
