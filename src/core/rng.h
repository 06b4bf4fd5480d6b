/* SPDX-License-Identifier: Apache-2.0 */
/** Random numbers that equal a reference generator's, number for number. */
#ifndef PLD_CORE_RNG_H
#define PLD_CORE_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Which generator is reproduced. */
typedef enum pld_rng_kind {
    PLD_RNG_TORCH_CPU /**< torch.Generator("cpu"): mt19937 with torch's own transforms */
} pld_rng_kind;

enum { PLD_RNG_WORDS = 624 }; /* words of mt19937's state */

/** A generator. Plain data: a copy continues independently from the same point. */
typedef struct pld_rng {
    pld_rng_kind kind;
    uint32_t words[PLD_RNG_WORDS]; /**< mt19937's state */
    size_t next_word;              /**< index of the next unused word; PLD_RNG_WORDS: renew first */
    bool has_spare_normal;         /**< a short draw left the second half of its last pair */
    double spare_normal;
} pld_rng;

/** Start `rng` as torch.Generator("cpu").manual_seed(seed) does: only the low 32 bits count. */
void pld_rng_seed(pld_rng *rng, pld_rng_kind kind, uint64_t seed);

/** `count` uniform numbers in [0, 1), as torch.rand(count) in float32. */
void pld_rng_uniform(pld_rng *rng, float *values, size_t count);

/** `count` standard normal numbers, as one torch.randn of that many elements in float32 (a tensor's elements
 *  in row-major order). One draw of 2n numbers is not two draws of n. */
void pld_rng_normal(pld_rng *rng, float *values, size_t count);

#endif
