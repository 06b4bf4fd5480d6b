/* SPDX-License-Identifier: Apache-2.0 */
/* Torch's CPU generator. The twister is Matsumoto & Nishimura, "Mersenne Twister" (1998); the normal
 * transform is Box & Muller's, arranged in the two ways torch arranges it: by pairs for short draws, by
 * blocks of 16 for long ones. */
#include "core/rng.h"

#include <math.h>
#include <string.h>

enum {
    TWIST_OFFSET = 397,
    BLOCK = 16, /* numbers that are transformed together in a long draw */
    HALF = BLOCK / 2
};

static const double TWO_PI = 6.283185307179586476925286766559;

void pld_rng_seed(pld_rng *rng, pld_rng_kind kind, uint64_t seed) {
    memset(rng, 0, sizeof *rng);
    rng->kind = kind;
    rng->words[0] = (uint32_t)seed;
    for (uint32_t i = 1; i < PLD_RNG_WORDS; i++) {
        uint32_t previous = rng->words[i - 1];
        rng->words[i] = 1812433253U * (previous ^ (previous >> 30)) + i;
    }
    rng->next_word = PLD_RNG_WORDS;
}

/** Renew all words of the state. */
static void twist(pld_rng *rng) {
    uint32_t *words = rng->words;
    for (size_t i = 0; i < PLD_RNG_WORDS; i++) {
        uint32_t next = words[(i + 1) % PLD_RNG_WORDS];
        uint32_t joined = (words[i] & 0x80000000U) | (next & 0x7fffffffU);
        words[i] = words[(i + TWIST_OFFSET) % PLD_RNG_WORDS] ^ (joined >> 1) ^ (next & 1 ? 0x9908b0dfU : 0);
    }
    rng->next_word = 0;
}

/** The next 32 random bits. */
static uint32_t draw(pld_rng *rng) {
    if (rng->next_word == PLD_RNG_WORDS) {
        twist(rng);
    }
    uint32_t bits = rng->words[rng->next_word++];
    bits ^= bits >> 11;
    bits ^= (bits << 7) & 0x9d2c5680U;
    bits ^= (bits << 15) & 0xefc60000U;
    return bits ^ (bits >> 18);
}

/** A uniform float in [0, 1) from the low 24 bits of one draw. */
static float uniform_float(pld_rng *rng) {
    return (float)(draw(rng) & 0xffffffU) * 0x1p-24f;
}

/** A uniform double in [0, 1) from the low 53 bits of two draws, the first one above. */
static double uniform_double(pld_rng *rng) {
    uint64_t high = draw(rng);
    uint64_t bits = high << 32 | draw(rng);
    return (double)(bits & ((UINT64_C(1) << 53) - 1)) * 0x1p-53;
}

void pld_rng_uniform(pld_rng *rng, float *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        values[i] = uniform_float(rng);
    }
}

/** One number of a short draw; the sine of each pair waits for the next such number, however much later. */
static float paired_normal(pld_rng *rng) {
    if (rng->has_spare_normal) {
        rng->has_spare_normal = false;
        return (float)rng->spare_normal;
    }
    double angle = TWO_PI * uniform_double(rng);
    double radius = sqrt(-2 * log1p(-uniform_double(rng)));
    rng->has_spare_normal = true;
    rng->spare_normal = radius * sin(angle);
    return (float)(radius * cos(angle));
}

/** Turn 16 uniform numbers into normal ones in place: element j gives the radius of pair j, element j + 8 the
 *  angle. Products are rounded to float as torch's are; its vectorised log, sine and cosine differ from exact
 *  ones by at most a few units in the last place. */
static void transform_block(float block[BLOCK]) {
    for (size_t j = 0; j < HALF; j++) {
        float radius = sqrtf(-2.0f * (float)log((double)(1 - block[j])));
        float angle = (float)TWO_PI * block[j + HALF];
        block[j] = radius * (float)cos((double)angle);
        block[j + HALF] = radius * (float)sin((double)angle);
    }
}

void pld_rng_normal(pld_rng *rng, float *values, size_t count) {
    if (count < BLOCK) {
        for (size_t i = 0; i < count; i++) {
            values[i] = paired_normal(rng);
        }
        return;
    }
    pld_rng_uniform(rng, values, count);
    for (size_t i = 0; i + BLOCK <= count; i += BLOCK) {
        transform_block(values + i);
    }
    if (count % BLOCK) {
        /* a ragged end is covered by one more block, drawn afresh, over the last 16 places */
        pld_rng_uniform(rng, values + count - BLOCK, BLOCK);
        transform_block(values + count - BLOCK);
    }
}
