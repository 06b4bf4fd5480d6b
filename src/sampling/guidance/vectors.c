/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "sampling/guidance/methods.h"

double pld_guidance_dot(const float *a, const float *b, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)a[i] * (double)b[i];
    }
    return sum;
}

double pld_guidance_deviation(const float *x, size_t count) {
    double mean = 0;
    for (size_t i = 0; i < count; i++) {
        mean += (double)x[i];
    }
    mean /= (double)count;
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        squares += ((double)x[i] - mean) * ((double)x[i] - mean);
    }
    return sqrt(squares / (double)(count > 1 ? count - 1 : 1));
}

void pld_guidance_extrapolate(const float *base, double scale, const float *a, const float *b, size_t count,
                              float *out) {
    const float factor = (float)scale;
    for (size_t i = 0; i < count; i++) {
        out[i] = base[i] + factor * (a[i] - b[i]);
    }
}
