/* SPDX-License-Identifier: Apache-2.0 */
/* Independent multiply-adds in registers: what a core can do at best. Compiled once for
 * each instruction set. */
#include "kernels/vector/pairs.h"
#ifdef __AMX_BF16__
#include "kernels/amx/tiles.h"
#endif

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

#ifdef __AMX_BF16__
/** The same of bfloat16 in tiles. */
double PAIRS_NAME(PLD_ISA_SYMBOL)(long rounds, float *sink) {
    enum { TILES = 4, ROUNDS_A_TILE = 4, OPERATIONS = TILES * 2 * TILE_ROWS * 2 * TILE_PAIRS * TILE_COLUMNS };
    uint32_t operand[TILE_ROWS * TILE_PAIRS];
    float sums[TILE_ROWS * TILE_COLUMNS];
    for (int i = 0; i < TILE_ROWS * TILE_PAIRS; i++) {
        operand[i] = 0x3c003d00U;
    }
    shape_tiles(TILE_ROWS, TILE_ROWS);
    _tile_loadd(TILE_A_UPPER, operand, TILE_BYTES);
    _tile_loadd(TILE_A_LOWER, operand, TILE_BYTES);
    _tile_loadd(TILE_B_LEFT, operand, TILE_BYTES);
    _tile_loadd(TILE_B_RIGHT, operand, TILE_BYTES);
    for (long round = 0; round < rounds / ROUNDS_A_TILE; round++) {
        _tile_dpbf16ps(TILE_C_UPPER_LEFT, TILE_A_UPPER, TILE_B_LEFT);
        _tile_dpbf16ps(TILE_C_UPPER_RIGHT, TILE_A_UPPER, TILE_B_RIGHT);
        _tile_dpbf16ps(TILE_C_LOWER_LEFT, TILE_A_LOWER, TILE_B_LEFT);
        _tile_dpbf16ps(TILE_C_LOWER_RIGHT, TILE_A_LOWER, TILE_B_RIGHT);
    }
    _tile_stored(TILE_C_UPPER_LEFT, sums, TILE_BYTES);
    TILE_MEMORY_BARRIER();
    *sink += sums[0];
    _tile_release();
    return (double)OPERATIONS * (double)(rounds / ROUNDS_A_TILE);
}
#else
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
#endif
