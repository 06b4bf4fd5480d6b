/* SPDX-License-Identifier: Apache-2.0 */
/* Q6_K: quantise_k.h says how. */
#include "kernels/plain/quantise_k.h"
#include "kernels/table.h"

/** q of a part of Q6_K for its scale, and the error. */
static inline float set_short(const lanes *x, float scale, lanes *q) {
    lanes error = {0};
    signed_numbers(x, SHORT_VECTORS, ratio(1, scale), 32, q);
    for (int i = 0; i < SHORT_VECTORS; i++) {
        const lanes difference = x[i] - q[i] * scale;
        error += difference * difference;
    }
    return lanes_sum(&error);
}

static float set_shorts(const lanes *x, k_block *block, float errors[SHORTS]) {
    float error = 0;
    for (int part = 0; part < SHORTS; part++) {
        const int at = part * SHORT_VECTORS;
        errors[part] = set_short(x + at, block->d * block->scales[part], block->q + at);
        error += errors[part];
    }
    return error;
}

/** Other s of one part, if it is better; its error. */
static float improve_short(const lanes *x, int part, float error, k_block *block) {
    lanes *q = &block->q[(size_t)part * SHORT_VECTORS], trial[SHORT_VECTORS];
    float xq, qq;
    signed_sums(x, q, SHORT_VECTORS, &xq, &qq);
    const float s = nearest(ratio(ratio(xq, qq), block->d), -128, 127);
    const float other = set_short(x, block->d * s, trial);
    if (!(other < error)) {
        return error;
    }
    block->scales[part] = s;
    __builtin_memcpy(q, trial, sizeof trial);
    return other;
}

/** d of the least error for the q and s there are. */
static bool solve_shorts(const lanes *x, k_block *block) {
    double aa = 0, xa = 0; /* x ≈ d·a, a = s·q */
    for (int part = 0; part < SHORTS; part++) {
        float xq, qq;
        const double s = (double)block->scales[part];
        signed_sums(&x[(size_t)part * SHORT_VECTORS], &block->q[(size_t)part * SHORT_VECTORS], SHORT_VECTORS,
                    &xq, &qq);
        aa += s * s * (double)qq;
        xa += s * (double)xq;
    }
    block->d = aa > 0 ? as_half((float)(xa / aa)) : 0;
    return aa > 0;
}

/** Steps 1 to 3 for Q6_K. */
static void fit_shorts(const float *in, k_block *block) {
    lanes x[ALL];
    float scales[SHORTS], errors[SHORTS], largest = 0;
    take_numbers(in, BLOCK, x);
    for (int part = 0; part < SHORTS; part++) {
        scales[part] = fit_signed(&x[(size_t)part * SHORT_VECTORS], SHORT_VECTORS, 32);
        const float size = scales[part] < 0 ? -scales[part] : scales[part];
        largest = size > (largest < 0 ? -largest : largest) ? scales[part] : largest;
    }
    block->d = as_half(largest / -128);
    for (int part = 0; part < SHORTS; part++) {
        block->scales[part] = nearest(ratio(scales[part], block->d), -128, 127);
    }
    float error = set_shorts(x, block, errors);
    for (int round = 0; round < ROUNDS; round++) {
        const float before = error;
        error = 0;
        for (int part = 0; part < SHORTS; part++) {
            errors[part] = improve_short(&x[(size_t)part * SHORT_VECTORS], part, errors[part], block);
            error += errors[part];
        }
        k_block other = *block;
        float others[SHORTS];
        if (solve_shorts(x, &other)) {
            const float trial = set_shorts(x, &other, others);
            if (trial < error) {
                *block = other;
                error = trial;
                __builtin_memcpy(errors, others, sizeof errors);
            }
        }
        if (!(error < before)) {
            break;
        }
    }
}

void PLD_KERNEL(f32_to_q6_k)(const float *in, size_t count, void *out) {
    enum { HIGH = BLOCK / 2, SCALES = HIGH + BLOCK / 4, BYTES = SCALES + SHORTS + 2 };
    uint8_t *to = out;
    for (size_t i = 0; i < count; i += BLOCK, to += BYTES) {
        k_block block;
        fit_shorts(in + i, &block);
        for (int half = 0; half < 2; half++) {
            for (int j = 0; j < 32; j++) {
                int q[4];
                for (int quarter = 0; quarter < 4; quarter++) {
                    q[quarter] = number_at(&block, 128 * half + 32 * quarter + j) + 32;
                }
                to[64 * half + j] = (uint8_t)((q[0] & 15) | (q[2] & 15) << 4);
                to[64 * half + 32 + j] = (uint8_t)((q[1] & 15) | (q[3] & 15) << 4);
                to[HIGH + 32 * half + j] =
                    (uint8_t)(q[0] >> 4 | q[1] >> 4 << 2 | q[2] >> 4 << 4 | q[3] >> 4 << 6);
            }
        }
        for (int part = 0; part < SHORTS; part++) {
            to[SCALES + part] = (uint8_t)(int8_t)block.scales[part];
        }
        store_half(block.d, to + BYTES - 2);
    }
}
