/* SPDX-License-Identifier: Apache-2.0 */
/* float32 to Q4_0, to rows of int8, and back from these. The blocks are described in blocks.c. */
#include "kernels/plain/quantise.h"
#include "kernels/plain/half_bits.h"
#include "kernels/table.h"

void PLD_KERNEL(f32_to_q4_0)(const float *in, size_t count, void *out) {
    enum { SMALL = 32, HALF = SMALL / 2, VECTORS = SMALL / LANES };
    uint8_t *block = out;
    for (size_t i = 0; i < count; i += SMALL, block += 2 + HALF) {
        lanes x[VECTORS], q[VECTORS];
        take_numbers(in + i, SMALL, x);
        const float d = store_half(fit_signed(x, VECTORS, 8), block);
        signed_numbers(x, VECTORS, d > 0 || d < 0 ? 1 / d : 0, 8, q);
        for (int j = 0; j < HALF; j++) {
            const int low = (int)q[j / LANES][j % LANES] + 8,
                      high = (int)q[j / LANES + VECTORS / 2][j % LANES] + 8;
            block[2 + j] = (uint8_t)(low | high << 4);
        }
    }
}

float PLD_KERNEL(f32_to_i8)(const float *row, size_t columns, void *out) {
    int8_t *numbers = out;
    float largest = 0;
    for (size_t i = 0; i < columns; i++) {
        const float size = row[i] < 0 ? -row[i] : row[i];
        largest = size > largest ? size : largest;
    }
    const float scale = largest / 127;
    for (size_t i = 0; i < columns; i++) {
        /* a quotient, since the inverse of the smallest scales is infinite; 0 where there is none */
        const float scaled = scale > 0 ? row[i] / scale : 0;
        const float bounded = scaled > 127 ? 127 : scaled >= -127 ? scaled : -127;
        numbers[i] = (int8_t)(int32_t)(bounded + (bounded < 0 ? -0.5F : 0.5F));
    }
    return scale;
}

void PLD_KERNEL(i8_to_f32)(const void *in, size_t count, float *out) {
    const int8_t *numbers = in;
    for (size_t i = 0; i < count; i++) {
        out[i] = (float)numbers[i];
    }
}
