/* SPDX-License-Identifier: Apache-2.0 */
/* Signs, then sums and differences at falling distances: the specification of the vector version, which rounds the same. */
#include "kernels/table.h"

void PLD_KERNEL(hadamard)(const float *in, int64_t count, float *out) {
    const int64_t size = count & -count;
    for (int64_t i = 0; i < count; i++) {
        out[i] = pld_hadamard_flips(i) ? -in[i] : in[i];
    }
    for (int64_t distance = size / 2; distance > 0; distance /= 2) {
        for (int64_t i = 0; i < count; i++) {
            if (!(i & distance)) {
                const float a = out[i], b = out[i + distance];
                out[i] = a + b;
                out[i + distance] = a - b;
            }
        }
    }
}
