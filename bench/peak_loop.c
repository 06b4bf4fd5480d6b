/* SPDX-License-Identifier: Apache-2.0 */
/* Independent multiply-adds in registers: what a core can do at best. Compiled once for each instruction set.
 */
#include "kernels/vector/pairs.h"

#define PEAK_NAME_OF(symbol)  bench_peak_##symbol
#define PEAK_NAME(symbol)     PEAK_NAME_OF(symbol)
#define PAIRS_NAME_OF(symbol) bench_peak_pairs_##symbol
#define PAIRS_NAME(symbol)    PAIRS_NAME_OF(symbol)

double PEAK_NAME(PLD_ISA_SYMBOL)(long rounds, float *sink);
double PAIRS_NAME(PLD_ISA_SYMBOL)(long rounds, float *sink);

enum { CHAINS = 10, PAIR_CHAINS = 14 }; /* latency 4 times 2 units, and some */

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

/** The same of bfloat16 pairs; 0 where there is no instruction for them. */
double PAIRS_NAME(PLD_ISA_SYMBOL)(long rounds, float *sink) {
    if (!PLD_PAIRS_NATIVE) {
        return 0;
    }
    vec sums[PAIR_CHAINS];
    for (int i = 0; i < PAIR_CHAINS; i++) {
        sums[i] = splat((float)i);
    }
    ivec a = splat_pair(0x3f803e80U), b = splat_pair(0x3c003d00U);
    for (long round = 0; round < rounds; round++) {
        for (int i = 0; i < PAIR_CHAINS; i++) {
            sums[i] = add_pairs(sums[i], a, b);
        }
    }
    for (int i = 0; i < PAIR_CHAINS; i++) {
        *sink += sums[i][0];
    }
    return 4.0 * PAIR_CHAINS * PLD_LANES * (double)rounds;
}
