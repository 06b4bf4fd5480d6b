/* SPDX-License-Identifier: Apache-2.0 */
/** How work and arrays are cut: whole numbers, and lines of the cache. */
#ifndef PLD_KERNELS_CUTS_H
#define PLD_KERNELS_CUTS_H

#include <stdint.h>

enum {
    PLD_LINE = 16,      /* numbers of four bytes in a cache line */
    PLD_LEAST_ITEMS = 4 /* that a thread takes, so that one which is held up does not hold up the others */
};

static inline int64_t pld_smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static inline int64_t pld_larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/** Pieces of `size` that cover `count`. */
static inline int64_t pld_parts(int64_t count, int64_t size) {
    return (count + size - 1) / size;
}

/** `count` cut into pieces of at most `most`, of nearly equal size: that size. */
static inline int64_t pld_even_piece(int64_t count, int64_t most) {
    return pld_parts(count, pld_parts(count, pld_larger(1, most)));
}

/** `count` numbers, rounded up to whole cache lines. */
static inline int64_t pld_whole_lines(int64_t count) {
    return pld_parts(count, PLD_LINE) * PLD_LINE;
}

#endif
