/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/pairs.h"

#include "kernels/cuts.h"

size_t pld_pairs_bytes(const pld_kernels *k, const pld_panels *shape) {
    return sizeof(uint32_t) * (size_t)(pld_panel_count(k, shape) * shape->taps * pld_pair_words(shape) *
                                       pld_pair_count(shape->depth) * k->panel_columns());
}

enum {
    PIECE = 32, /* numbers of each row at a time: all taps of them stay in cache */
    ROW = PIECE / 2,
    MOST_COLUMNS = 64,
    BLOCK = MOST_COLUMNS * ROW
};

/** One row's numbers of a piece, `taps` apart → words: pairs, the last with a zero if their count is odd; of
 * split numbers the low ones a block later. */
static void round_row(const pld_kernels *k, const pld_panels *shape, const float *from, int64_t count,
                      float *words) {
    float numbers[PIECE + 1];
    for (int64_t j = 0; j < count; j++) {
        numbers[j] = from[j * shape->taps];
    }
    numbers[count] = 0;
    const size_t whole = (size_t)(2 * pld_pair_count(count));
    if (shape->type == PLD_PANEL_SPLIT) {
        k->f32_split(numbers, whole, words, words + BLOCK);
    } else {
        k->f32_to_bf16(numbers, whole, words);
    }
}

void pld_pairs_pack(const pld_kernels *k, const pld_panels *shape, const float *weights, int64_t panel,
                    void *packed) {
    const int64_t width = k->panel_columns();
    const int64_t row = shape->depth * shape->taps;
    const int64_t columns = pld_panel_width(k, shape, panel);
    const int64_t low =
        pld_pair_count(shape->depth) * width; /* from the high words of a tap to its low ones */
    float words[2 * BLOCK] = {0};             /* [width, ROW] pairs; columns beyond stay zeros */
    for (int64_t first = 0; first < shape->depth; first += PIECE) {
        const int64_t count = pld_smaller(PIECE, shape->depth - first);
        for (int64_t tap = 0; tap < shape->taps; tap++) {
            for (int64_t n = 0; n < columns; n++) {
                round_row(k, shape, weights + n * row + first * shape->taps + tap, count, words + n * ROW);
            }
            float *to = (float *)(uintptr_t)pld_pairs_at(k, shape, packed, panel, tap, first / 2);
            for (int64_t part = 0; part < pld_pair_words(shape); part++) {
                /* words are moved as they are, whatever number their bits would be */
                k->transpose(words + part * BLOCK, ROW, width, pld_pair_count(count), to + part * low, width);
            }
        }
    }
}

void pld_pairs_round(const pld_kernels *k, const float *from, int64_t count, uint32_t *pairs) {
    if (count % 2) {
        pairs[count / 2] = 0;
    }
    k->f32_to_bf16(from, (size_t)count, pairs);
}

void pld_pairs_split(const pld_kernels *k, const float *from, int64_t count, uint32_t *high, uint32_t *low) {
    if (count % 2) {
        high[count / 2] = low[count / 2] = 0;
    }
    k->f32_split(from, (size_t)count, high, low);
}
