/* SPDX-License-Identifier: Apache-2.0 */
/* Hadamard rotations: distances of two vectors and more two at a time, those within a vector by exchanging lanes. */
#include "kernels/table.h"
#include "kernels/vector/vector.h"

PLD_INLINE vec flip(vec x, ivec signs) {
    return (vec)((ivec)x ^ signs);
}

/** Sums in the lanes whose number lacks the bit `distance`, differences in the others, of lanes so far apart. */
#if PLD_VECTOR_BYTES == 64
#define LANES_APART(x, distance)                                                                             \
    ((distance) == 8   ? __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7) \
     : (distance) == 4 ? __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11) \
     : (distance) == 2                                                                                       \
         ? __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)               \
         : __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14))
#else
#define LANES_APART(x, distance)                                                                             \
    ((distance) == 4   ? __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3)                               \
     : (distance) == 2 ? __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5)                               \
                       : __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6))
#endif

PLD_INLINE ivec lane_signs(const int distance) {
    ivec signs = {0};
    for (int lane = 0; lane < PLD_LANES; lane++) {
        signs[lane] = lane & distance ? INT32_MIN : 0;
    }
    return signs;
}

/** All distances within a vector. */
PLD_INLINE vec rotate_lanes(vec x) {
#if PLD_VECTOR_BYTES == 64
    x = LANES_APART(x, 8) + flip(x, lane_signs(8));
#endif
    x = LANES_APART(x, 4) + flip(x, lane_signs(4));
    x = LANES_APART(x, 2) + flip(x, lane_signs(2));
    return LANES_APART(x, 1) + flip(x, lane_signs(1));
}

/** Signs of numbers [i, i + PLD_LANES): the sign bit of each product is what pld_hadamard_flips looks at. */
PLD_INLINE ivec signs_from(int64_t i) {
    typedef uint32_t uvec __attribute__((vector_size(PLD_VECTOR_BYTES)));
    uvec place = (uvec){0};
    for (uint32_t lane = 0; lane < PLD_LANES; lane++) {
        place[lane] = lane;
    }
    return (ivec)((place + (uint32_t)i) * (uvec)(PLD_HADAMARD_FACTOR - (uvec){0})) & INT32_MIN;
}

/** The distance and half of it, over numbers [0, count). */
static void rotate_twice(float *x, int64_t count, int64_t distance) {
    const int64_t half = distance / 2;
    for (int64_t first = 0; first < count; first += 2 * distance) {
        for (float *at = x + first; at < x + first + half; at += PLD_LANES) {
            const vec a = load(at), b = load(at + half), c = load(at + distance),
                      d = load(at + distance + half);
            const vec e = a + c, f = b + d, g = a - c, h = b - d;
            store(at, e + f);
            store(at + half, e - f);
            store(at + distance, g + h);
            store(at + distance + half, g - h);
        }
    }
}

/** Distances of a vector, if that is to be done, and less. */
static void rotate_vectors(float *x, int64_t count, bool whole) {
    for (int64_t i = 0; i < count; i += whole ? 2 * PLD_LANES : PLD_LANES) {
        const vec a = load(x + i);
        if (whole) {
            const vec b = load(x + i + PLD_LANES);
            store(x + i, rotate_lanes(a + b));
            store(x + i + PLD_LANES, rotate_lanes(a - b));
        } else {
            store(x + i, rotate_lanes(a));
        }
    }
}

/** Blocks smaller than a vector. */
static void rotate_few(float *x, int64_t count, int64_t size) {
    for (int64_t distance = size / 2; distance > 0; distance /= 2) {
        for (int64_t i = 0; i < count; i++) {
            if (!(i & distance)) {
                const float a = x[i], b = x[i + distance];
                x[i] = a + b;
                x[i + distance] = a - b;
            }
        }
    }
}

void PLD_KERNEL(hadamard)(const float *in, int64_t count, float *out) {
    const int64_t size = count & -count;
    int64_t i = 0;
    for (; i + PLD_LANES <= count; i += PLD_LANES) {
        store(out + i, flip(load(in + i), signs_from(i)));
    }
    for (; i < count; i++) {
        out[i] = pld_hadamard_flips(i) ? -in[i] : in[i];
    }
    if (size < PLD_LANES) {
        rotate_few(out, count, size);
        return;
    }
    int64_t distance = size / 2;
    for (; distance >= 2 * PLD_LANES; distance /= 4) {
        rotate_twice(out, count, distance);
    }
    rotate_vectors(out, count, distance == PLD_LANES);
}
