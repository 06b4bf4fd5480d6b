/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/pairs.h"

#include "kernels/cuts.h"

size_t pld_pairs_bytes(const pld_kernels *k, const pld_panels *shape) {
    return sizeof(uint32_t) * (size_t)(pld_panel_count(k, shape) * shape->taps *
                                       pld_pair_count(shape->depth) * k->panel_columns());
}

enum { PIECE = 32, MOST_COLUMNS = 64 }; /* numbers of each row at a time: all taps of them stay in cache */

/** One row's numbers of a piece, `taps` apart → words: pairs, the last with a zero if their count is odd. */
static void round_row(const pld_kernels *k, const float *from, int64_t taps, int64_t count, float *words) {
    float numbers[PIECE + 1];
    for (int64_t j = 0; j < count; j++) {
        numbers[j] = from[j * taps];
    }
    numbers[count] = 0;
    k->f32_to_bf16(numbers, (size_t)(2 * pld_pair_count(count)), words);
}

void pld_pairs_pack(const pld_kernels *k, const pld_panels *shape, const float *weights, int64_t panel,
                    void *packed) {
    const int64_t width = k->panel_columns();
    const int64_t row = shape->depth * shape->taps;
    const int64_t columns = pld_panel_width(k, shape, panel);
    float words[MOST_COLUMNS * PIECE / 2] = {0}; /* [width, PIECE / 2] pairs; columns beyond stay zeros */
    for (int64_t first = 0; first < shape->depth; first += PIECE) {
        const int64_t count = pld_smaller(PIECE, shape->depth - first);
        for (int64_t tap = 0; tap < shape->taps; tap++) {
            for (int64_t n = 0; n < columns; n++) {
                round_row(k, weights + n * row + first * shape->taps + tap, shape->taps, count,
                          words + n * PIECE / 2);
            }
            const int64_t at =
                ((panel * shape->taps + tap) * pld_pair_count(shape->depth) + first / 2) * width;
            /* words are moved as they are, whatever number their bits would be */
            k->transpose(words, PIECE / 2, width, pld_pair_count(count), (float *)packed + at, width);
        }
    }
}

void pld_pairs_round(const pld_kernels *k, const float *from, int64_t count, uint32_t *pairs) {
    if (count % 2) {
        pairs[count / 2] = 0;
    }
    k->f32_to_bf16(from, (size_t)count, pairs);
}
