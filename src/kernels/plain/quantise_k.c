/* SPDX-License-Identifier: Apache-2.0 */
/* Q4_K and Q5_K: quantise_k.h says how. */
#include "kernels/plain/quantise_k.h"
#include "kernels/table.h"

/** Sums over a part from which its scale and least value follow. */
typedef struct part_sums {
    double x, q, qq, xq;
} part_sums;

static inline void sum_part(const lanes *x, const lanes *q, part_sums *sums) {
    lanes numbers = {0}, products = {0}, squares = {0};
    for (int i = 0; i < VECTORS; i++) {
        numbers += q[i];
        products += x[i] * q[i];
        squares += q[i] * q[i];
    }
    sums->q = (double)lanes_sum(&numbers);
    sums->xq = (double)lanes_sum(&products);
    sums->qq = (double)lanes_sum(&squares);
}

/** scale and offset ≤ `most` of the least Σ (x − scale·q − offset)², n = 32. False: q tells nothing, all of it being equal. */
static inline bool solve_part(const part_sums *sums, double most, double *scale, double *offset) {
    const double determinant = PART * sums->qq - sums->q * sums->q;
    if (!(determinant > 0)) {
        return false;
    }
    *scale = (PART * sums->xq - sums->x * sums->q) / determinant;
    *offset = (sums->qq * sums->x - sums->q * sums->xq) / determinant;
    if (*offset > most) {
        *offset = most;
        *scale = (sums->xq - most * sums->q) / sums->qq;
    }
    return *scale > 0;
}

/** Step 1 of Q4_K and Q5_K: *scale ≥ 0 and *least ≥ 0 with x ≈ scale·q − least, q of 0 … top. */
static void fit_part(const lanes *x, float top, float *scale, float *least) {
    float low = 0, high = x[0][0];
    for (int i = 0; i < PART; i++) {
        const float value = x[i / LANES][i % LANES];
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    const float range = high - low;
    *scale = 0;
    *least = -low;
    if (!(range > SMALLEST_RANGE)) {
        return;
    }
    lanes y[VECTORS], q[VECTORS], total = {0}; /* y of 0 … 1, so that no sum is large */
    for (int i = 0; i < VECTORS; i++) {
        y[i] = (x[i] - low) / range;
        total += y[i];
    }
    part_sums sums = {.x = (double)lanes_sum(&total)};
    const double most = (double)(-low / range);
    double explained = -1e30, best_scale = 1 / (double)top, best_offset = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        const float inverse = top - 1 + 0.1F * (float)trial;
        for (int i = 0; i < VECTORS; i++) {
            q[i] = y[i] * inverse;
            lanes_bound(0, top, &q[i]);
            lanes_round(&q[i]);
        }
        double a, b;
        sum_part(y, q, &sums);
        if (!solve_part(&sums, most, &a, &b)) {
            continue;
        }
        /* Σy² less the error */
        const double gain =
            2 * (a * sums.xq + b * sums.x) - a * a * sums.qq - 2 * a * b * sums.q - PART * b * b;
        if (gain > explained) {
            explained = gain;
            best_scale = a;
            best_offset = b;
        }
    }
    *scale = (float)best_scale * range;
    *least = -(low + (float)best_offset * range);
}

/** q of a part for its scale and least value, and the error. */
static inline float set_part(const lanes *x, float scale, float least, float top, lanes *q) {
    const float inverse = ratio(1, scale);
    lanes error = {0};
    for (int i = 0; i < VECTORS; i++) {
        q[i] = (x[i] + least) * inverse;
        lanes_bound(0, top, &q[i]);
        lanes_round(&q[i]);
        const lanes difference = x[i] - (q[i] * scale - least);
        error += difference * difference;
    }
    return lanes_sum(&error);
}

/** Other s and t of one part, if they are better; its error. */
static float improve_part(const lanes *x, float top, int part, float error, k_block *block) {
    lanes *q = &block->q[(size_t)part * VECTORS], trial[VECTORS], total = {0};
    part_sums sums;
    double scale, offset;
    for (int i = 0; i < VECTORS; i++) {
        total += x[i];
    }
    sum_part(x, q, &sums);
    sums.x = (double)lanes_sum(&total);
    if (!solve_part(&sums, 0, &scale, &offset)) {
        return error;
    }
    const float s = nearest(ratio((float)scale, block->d), 0, 63),
                t = nearest(ratio((float)-offset, block->m), 0, 63);
    const float other = set_part(x, block->d * s, block->m * t, top, trial);
    if (!(other < error)) {
        return error;
    }
    block->scales[part] = s;
    block->least[part] = t;
    __builtin_memcpy(q, trial, sizeof trial);
    return other;
}

/** All q for d, m, s and t; the errors of the parts, and their sum. */
static float set_all(const lanes *x, float top, k_block *block, float errors[PARTS]) {
    float error = 0;
    for (int part = 0; part < PARTS; part++) {
        const int at = part * VECTORS;
        errors[part] = set_part(x + at, block->d * block->scales[part], block->m * block->least[part], top,
                                block->q + at);
        error += errors[part];
    }
    return error;
}

/** d and m of the least error for the q, s and t there are; false: they are not determined. */
static bool solve_block(const lanes *x, k_block *block) {
    double aa = 0, ab = 0, bb = 0, xa = 0, xb = 0; /* x ≈ d·a − m·b, a = s·q and b = t */
    for (int part = 0; part < PARTS; part++) {
        part_sums sums;
        lanes total = {0};
        const double s = (double)block->scales[part], t = (double)block->least[part];
        for (int i = 0; i < VECTORS; i++) {
            total += x[part * VECTORS + i];
        }
        sum_part(&x[(size_t)part * VECTORS], &block->q[(size_t)part * VECTORS], &sums);
        aa += s * s * sums.qq;
        ab += s * t * sums.q;
        bb += t * t * PART;
        xa += s * sums.xq;
        xb += t * (double)lanes_sum(&total);
    }
    const double determinant = aa * bb - ab * ab;
    if (!(aa > 0)) {
        return false;
    }
    const bool both = determinant > 1e-9 * aa * bb && bb > 0;
    const double d = both ? (xa * bb - xb * ab) / determinant : xa / aa;
    const double m = both ? (xa * ab - xb * aa) / determinant : 0;
    block->d = as_half((float)(d > 0 ? d : 0));
    block->m = both ? as_half((float)(m > 0 ? m : 0)) : block->m;
    return d > 0;
}

/** Steps 1 to 3 for Q4_K (`top` 15) and Q5_K (31). */
static void fit_block(const float *in, float top, k_block *block) {
    lanes x[ALL];
    float scales[PARTS], least[PARTS], errors[PARTS], largest_scale = 0, largest_least = 0;
    take_numbers(in, BLOCK, x);
    for (int part = 0; part < PARTS; part++) {
        fit_part(&x[(size_t)part * VECTORS], top, &scales[part], &least[part]);
        largest_scale = scales[part] > largest_scale ? scales[part] : largest_scale;
        largest_least = least[part] > largest_least ? least[part] : largest_least;
    }
    block->d = as_half(largest_scale / 63);
    block->m = as_half(largest_least / 63);
    for (int part = 0; part < PARTS; part++) {
        block->scales[part] = nearest(ratio(scales[part], block->d), 0, 63);
        block->least[part] = nearest(ratio(least[part], block->m), 0, 63);
    }
    float error = set_all(x, top, block, errors);
    for (int round = 0; round < ROUNDS; round++) {
        const float before = error;
        error = 0;
        for (int part = 0; part < PARTS; part++) {
            errors[part] = improve_part(&x[(size_t)part * VECTORS], top, part, errors[part], block);
            error += errors[part];
        }
        k_block other = *block;
        float others[PARTS];
        if (solve_block(x, &other)) {
            const float trial = set_all(x, top, &other, others);
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

/** s and t as they lie in 12 bytes: see scale_and_least of blocks.c. */
static void store_scales(const k_block *block, uint8_t *bytes) {
    for (int part = 0; part < 4; part++) {
        const int s = (int)block->scales[part], t = (int)block->least[part];
        const int upper_s = (int)block->scales[part + 4], upper_t = (int)block->least[part + 4];
        bytes[part] = (uint8_t)(s | upper_s >> 4 << 6);
        bytes[part + 4] = (uint8_t)(t | upper_t >> 4 << 6);
        bytes[part + 8] = (uint8_t)((upper_s & 15) | (upper_t & 15) << 4);
    }
}

/** The low four bits: 32 bytes for two parts. */
static void store_nibbles(const k_block *block, uint8_t *bytes) {
    for (int pair = 0; pair < PARTS / 2; pair++) {
        for (int j = 0; j < PART; j++) {
            const int low = number_at(block, 2 * pair * PART + j),
                      high = number_at(block, (2 * pair + 1) * PART + j);
            bytes[pair * PART + j] = (uint8_t)((low & 15) | (high & 15) << 4);
        }
    }
}

void PLD_KERNEL(f32_to_q4_k)(const float *in, size_t count, void *out) {
    enum { SCALES = 4, NUMBERS = SCALES + 12, BYTES = NUMBERS + BLOCK / 2 };
    uint8_t *to = out;
    for (size_t i = 0; i < count; i += BLOCK, to += BYTES) {
        k_block block;
        fit_block(in + i, 15, &block);
        store_half(block.d, to);
        store_half(block.m, to + 2);
        store_scales(&block, to + SCALES);
        store_nibbles(&block, to + NUMBERS);
    }
}

void PLD_KERNEL(f32_to_q5_k)(const float *in, size_t count, void *out) {
    enum { SCALES = 4, HIGH = SCALES + 12, NUMBERS = HIGH + PART, BYTES = NUMBERS + BLOCK / 2 };
    uint8_t *to = out;
    for (size_t i = 0; i < count; i += BLOCK, to += BYTES) {
        k_block block;
        fit_block(in + i, 31, &block);
        store_half(block.d, to);
        store_half(block.m, to + 2);
        store_scales(&block, to + SCALES);
        store_nibbles(&block, to + NUMBERS);
        for (int j = 0; j < PART; j++) {
            int bits = 0;
            for (int part = 0; part < PARTS; part++) {
                bits |= number_at(&block, part * PART + j) >> 4 << part;
            }
            to[HIGH + j] = (uint8_t)bits;
        }
    }
}
