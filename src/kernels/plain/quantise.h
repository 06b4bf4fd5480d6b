/* SPDX-License-Identifier: Apache-2.0 */
/** What the quantisers share: numbers within bounds, and the signed fit x ≈ scale · q. */
#ifndef PLD_KERNELS_PLAIN_QUANTISE_H
#define PLD_KERNELS_PLAIN_QUANTISE_H

#include <stddef.h>

#include "kernels/plain/lanes.h"

/* No block can hold larger numbers: 65504 · 127 · 32 is the most, of Q6_K. Below the smallest range all scales are 0 in float16. */
#define LARGEST_NUMBER 1e9F
#define SMALLEST_RANGE 1e-20F

/** `count` numbers (a multiple of LANES) within ±LARGEST_NUMBER; any alignment of `in`. */
static inline void take_numbers(const float *in, size_t count, lanes *out) {
    for (size_t i = 0; i < count / LANES; i++) {
        __builtin_memcpy(&out[i], in + i * LANES, sizeof *out);
        lanes_bound(-LARGEST_NUMBER, LARGEST_NUMBER, &out[i]);
    }
}

/** The number of the largest magnitude. */
static inline float find_largest(const lanes *x, size_t vectors) {
    float low = 0, high = 0;
    for (size_t i = 0; i < vectors; i++) {
        for (int j = 0; j < LANES; j++) {
            low = x[i][j] < low ? x[i][j] : low;
            high = x[i][j] > high ? x[i][j] : high;
        }
    }
    return -low > high ? low : high;
}

/** q = x · inverse to the nearest of −half … half − 1. */
static inline void signed_numbers(const lanes *x, size_t vectors, float inverse, float half, lanes *q) {
    for (size_t i = 0; i < vectors; i++) {
        q[i] = x[i] * inverse;
        lanes_bound(-half, half - 1, &q[i]);
        lanes_round(&q[i]);
    }
}

/** Σ x·q and Σ q². */
static inline void signed_sums(const lanes *x, const lanes *q, size_t vectors, float *xq, float *qq) {
    lanes products = {0}, squares = {0};
    for (size_t i = 0; i < vectors; i++) {
        products += x[i] * q[i];
        squares += q[i] * q[i];
    }
    *xq = lanes_sum(&products);
    *qq = lanes_sum(&squares);
}

/** The scale of the least Σ (x − scale·q)², q being whole numbers of −half … half − 1: for each of a row of trial steps q is the
 * nearest, and the scale Σxq / Σq² the best for this q, which explains (Σxq)² / Σq² of Σx². Trials lie around the step that
 * brings the largest number to −half. */
static inline float fit_signed(const lanes *x, size_t vectors, float half) {
    enum { MOST_VECTORS = 4, TRIALS = 21 };
    const float largest = find_largest(x, vectors);
    if (largest > -SMALLEST_RANGE && largest < SMALLEST_RANGE) {
        return 0;
    }
    lanes y[MOST_VECTORS], q[MOST_VECTORS];
    for (size_t i = 0; i < vectors; i++) {
        y[i] = x[i] / largest;
    }
    float best = 0, explained = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        float yq, qq;
        signed_numbers(y, vectors, -(half - 1 + 0.1F * (float)trial), half, q);
        signed_sums(y, q, vectors, &yq, &qq);
        if (yq * yq > explained * qq) {
            explained = yq * yq / qq;
            best = yq / qq;
        }
    }
    return best * largest;
}

#endif
