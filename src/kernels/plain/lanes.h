/* SPDX-License-Identifier: Apache-2.0 */
/** Eight float32 at a time, as the compiler lowers them to any instruction set, for code that is compiled once for each. Passed
 * by address, since how a function takes one differs between sets. */
#ifndef PLD_KERNELS_PLAIN_LANES_H
#define PLD_KERNELS_PLAIN_LANES_H

#include <stdint.h>

enum { LANES = 8 };

typedef float lanes __attribute__((vector_size(32)));
typedef int32_t whole_lanes __attribute__((vector_size(32)));

/** Where `mask` is all ones the first, else the second. */
static inline void lanes_choose(const whole_lanes *mask, const lanes *first, lanes *second) {
    *second = (lanes)((*mask & (whole_lanes)*first) | (~*mask & (whole_lanes)*second));
}

/** Into [low, high]; what is no number becomes `low`. */
static inline void lanes_bound(float low, float high, lanes *x) {
    const lanes least = low - (lanes){0}, most = high - (lanes){0};
    const whole_lanes above = *x > most, within = *x >= least;
    lanes bounded = least;
    lanes_choose(&within, x, &bounded);
    *x = bounded;
    lanes_choose(&above, &most, x);
}

/** To the nearest whole number, ties to even, of magnitudes below 2^22. */
static inline void lanes_round(lanes *x) {
    const float shift = 12582912.0F; /* 1.5 · 2^23, whose step is 1 */
    *x = (*x + shift) - shift;
}

/** The sum, in one order everywhere. */
static inline float lanes_sum(const lanes *x) {
    const lanes v = *x;
    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

#endif
