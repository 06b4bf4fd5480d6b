/* SPDX-License-Identifier: Apache-2.0 */
/* float32 to Q4_0, whose blocks are described in blocks.c. */
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
