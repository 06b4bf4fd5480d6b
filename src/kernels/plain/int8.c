/* SPDX-License-Identifier: Apache-2.0 */
/* float32 → 8-bit integers with one scale, and 8-bit integers → float32. */
#include <math.h>
#include <string.h>

#include "kernels/table.h"

enum { MOST = 127 };

/** Bits of the largest magnitude: those of floats are in their order, and what is not finite is the largest. */
static int32_t largest_bits(const float *in, size_t count) {
    int32_t most = 0;
    for (size_t i = 0; i < count; i++) {
        int32_t bits;
        memcpy(&bits, in + i, sizeof bits);
        bits &= INT32_MAX;
        most = bits > most ? bits : most;
    }
    return most;
}

float PLD_KERNEL(f32_to_int8)(const float *in, size_t count, int8_t *out) {
    const int32_t bits = largest_bits(in, count);
    float most;
    memcpy(&most, &bits, sizeof most);
    if (!(most >= 0x1p-100F && most < INFINITY)) {
        memset(out, 0, count);
        return most < INFINITY ? 0 : NAN;
    }
    const float factor = (float)MOST / most;
    for (size_t i = 0; i < count; i++) {
        out[i] = (int8_t)(int32_t)rintf(in[i] * factor);
    }
    return most / (float)MOST;
}

void PLD_KERNEL(i8_to_f32)(const void *in, size_t count, float *out) {
    const int8_t *numbers = in;
    for (size_t i = 0; i < count; i++) {
        out[i] = (float)numbers[i];
    }
}
