/* SPDX-License-Identifier: Apache-2.0 */
/** Sums over a row of numbers, for norms. */
#ifndef PLD_KERNELS_VECTOR_ROW_SUM_H
#define PLD_KERNELS_VECTOR_ROW_SUM_H

#include "kernels/vector/vector.h"

/* Independent sums hide the latency of an addition. */
enum { PLD_CHAINS = 4, PLD_CHAINED = PLD_CHAINS * PLD_LANES };

/** Σ (in − centre) over a row, or of its squares. */
PLD_INLINE double sum_row(const float *in, int64_t channels, float centre, const bool squared) {
    vec sums[PLD_CHAINS] = {{0}};
    int64_t c = 0;
    for (; c + PLD_CHAINED <= channels; c += PLD_CHAINED) {
        for (int64_t i = 0; i < PLD_CHAINS; i++) {
            vec distance = load(in + c + i * PLD_LANES) - splat(centre);
            sums[i] += squared ? distance * distance : distance;
        }
    }
    double rest = 0;
    for (; c < channels; c++) {
        double distance = (double)in[c] - (double)centre;
        rest += squared ? distance * distance : distance;
    }
    return sum_lanes((sums[0] + sums[1]) + (sums[2] + sums[3])) + rest;
}

#endif
