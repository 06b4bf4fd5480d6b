/* SPDX-License-Identifier: Apache-2.0 */
/** Single-precision arithmetic as torch and numpy do it on CPUs, so that schedules agree to the last
 *  bit or nearly so. Each call rounds once, to float; torch's own vectorised functions are within one
 *  unit of that. */
#ifndef PLD_SAMPLING_FLOAT_MATH_H
#define PLD_SAMPLING_FLOAT_MATH_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

static inline float pld_log_float(float x) {
    return (float)log((double)x);
}

static inline float pld_exp_float(float x) {
    return (float)exp((double)x);
}

static inline float pld_expm1_float(float x) {
    return (float)expm1((double)x);
}

/** Element i of torch.linspace(first, last, count, dtype=float32): counted from the nearer end, one fused
 *  multiply-add. */
static inline float pld_linspace_float_at(float first, float last, size_t count, size_t i) {
    float step = count > 1 ? (last - first) / (float)(count - 1) : 0;
    bool from_first = i < count / 2 || count == 1;
    return from_first ? fmaf(step, (float)i, first) : fmaf(-step, (float)(count - 1 - i), last);
}

/** Element i of numpy.linspace(first, last, count) in double precision. */
static inline double pld_linspace_at(double first, double last, size_t count, size_t i) {
    if (count > 1 && i == count - 1) {
        return last;
    }
    double step = count > 1 ? (last - first) / (double)(count - 1) : 0;
    return (double)i * step + first;
}

#endif
