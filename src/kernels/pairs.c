/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/pairs.h"

#include <string.h>

size_t pld_pairs_bytes(const pld_kernels *k, const pld_panels *shape) {
    return sizeof(uint32_t) * (size_t)(pld_panel_count(k, shape) * shape->taps *
                                       pld_pair_count(shape->depth) * k->panel_columns());
}

void pld_pairs_pack(const pld_kernels *k, const pld_panels *shape, const float *weights, int64_t panel,
                    void *packed) {
    enum {
        PIECE = 32,
        MOST_COLUMNS = 64
    }; /* numbers of each row at a time: all taps of them stay in cache */
    const int64_t width = k->panel_columns();
    const int64_t row = shape->depth * shape->taps;
    const int64_t columns = pld_panel_width(k, shape, panel);
    for (int64_t first = 0; first < shape->depth; first += PIECE) {
        const int64_t count = shape->depth - first < PIECE ? shape->depth - first : PIECE;
        for (int64_t tap = 0; tap < shape->taps; tap++) {
            float values[PIECE * MOST_COLUMNS] = {0};
            for (int64_t n = 0; n < columns; n++) {
                const float *from = weights + n * row + first * shape->taps + tap;
                for (int64_t j = 0; j < count; j++) {
                    values[(j / 2 * width + n) * 2 + j % 2] = from[j * shape->taps];
                }
            }
            const int64_t at =
                ((panel * shape->taps + tap) * pld_pair_count(shape->depth) + first / 2) * width;
            k->f32_to_bf16(values, (size_t)(2 * pld_pair_count(count) * width), (uint32_t *)packed + at);
        }
    }
}

void pld_pairs_round(const pld_kernels *k, const float *from, int64_t count, uint32_t *pairs) {
    if (count % 2) {
        pairs[count / 2] = 0;
    }
    k->f32_to_bf16(from, (size_t)count, pairs);
}
