/* SPDX-License-Identifier: Apache-2.0 */
/* Independent multiply-adds in registers: what a core can do at best. Compiled once for each instruction set.
 */
#include "kernels/vector/vector.h"

#define PEAK_NAME_OF(symbol) bench_peak_##symbol
#define PEAK_NAME(symbol)    PEAK_NAME_OF(symbol)

double PEAK_NAME(PLD_ISA_SYMBOL)(long rounds, float *sink);

enum { CHAINS = 10 }; /* latency 4 times 2 units, and some */

/** Runs `rounds` of multiply-adds and returns how many operations of one float that was. */
double PEAK_NAME(PLD_ISA_SYMBOL)(long rounds, float *sink) {
    vec sums[CHAINS];
    for (int i = 0; i < CHAINS; i++) {
        sums[i] = splat((float)i);
    }
    vec factor = splat(0.999F), summand = splat(0.001F);
    for (long round = 0; round < rounds; round++) {
        for (int i = 0; i < CHAINS; i++) {
            sums[i] = sums[i] * factor + summand;
        }
    }
    for (int i = 0; i < CHAINS; i++) {
        *sink += sums[i][0];
    }
    return 2.0 * CHAINS * PLD_LANES * (double)rounds;
}
