/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise convolution, a pixel and a channel at a time: the specification of the vector version. */
#include "kernels/table.h"

static float convolved(const pld_depthwise_row *r, int64_t x, int64_t channel) {
    double sum = r->bias ? (double)r->bias[channel] : 0;
    for (int64_t tap = 0; tap < r->side * r->side; tap++) {
        const float *row = r->rows[tap / r->side];
        const int64_t column = x + tap % r->side - r->side / 2;
        if (row && column >= 0 && column < r->width) {
            sum +=
                (double)r->weights[tap * r->weight_row + channel] * (double)row[column * r->pixel + channel];
        }
    }
    return (float)sum;
}

void PLD_KERNEL(depthwise_row)(const pld_depthwise_row *r) {
    for (int64_t x = 0; x < r->width; x++) {
        for (int64_t c = 0; c < r->channels; c++) {
            float *out = &r->out[x * r->out_pixel + c];
            float y = convolved(r, x, c), opening = 1;
            if (r->partner > 0) {
                opening = convolved(r, x, c + r->partner);
                PLD_KERNEL(silu)(&opening, 1, &opening);
            }
            *out = y * opening;
        }
    }
}
