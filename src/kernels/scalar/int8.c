/* SPDX-License-Identifier: Apache-2.0 */
/* Products of 8-bit integers: the specification of the vector version and of tiles. A word holds four numbers, the earliest
 * in its lowest byte. */
#include <string.h>

#include "kernels/table.h"

int64_t PLD_KERNEL(int8_words)(void) {
    return 1;
}

void PLD_KERNEL(int8_rows)(const float *x, int64_t x_row, int64_t rows, int64_t depth, uint32_t *words,
                           int64_t row, float *scales) {
    for (int64_t m = 0; m < rows; m++) {
        int8_t numbers[PLD_INT8_DEPTH] = {0};
        float rotated[PLD_INT8_DEPTH];
        const int64_t filled = (depth + PLD_INT8_STEP - 1) / PLD_INT8_STEP * PLD_INT8_STEP;
        PLD_KERNEL(hadamard)(x + m * x_row, depth, rotated);
        scales[m] = PLD_KERNEL(f32_to_int8)(rotated, (size_t)depth, numbers);
        memcpy(words + m * row, numbers, (size_t)filled);
    }
}

const uint32_t *PLD_KERNEL(int8_panel)(const uint32_t *stored, int64_t quads, uint32_t *room) {
    (void)quads;
    (void)room;
    return stored;
}

/** Σ of a word's four products. */
static int32_t product_of(uint32_t left, uint32_t right) {
    int8_t a[4], b[4];
    memcpy(a, &left, sizeof a);
    memcpy(b, &right, sizeof b);
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
}

void PLD_KERNEL(int8_product)(const pld_int8_product *p) {
    const int64_t width = PLD_KERNEL(panel_columns)();
    const pld_panel_output *to = &p->to;
    for (int64_t row = 0; row < p->rows; row++) {
        for (int64_t n = 0; n < to->columns; n++) {
            int32_t sum = 0;
            for (int64_t k = 0; k < p->words; k++) {
                sum += product_of(p->left[row * p->left_row + k], p->panel[k * width + n]);
            }
            const float scale = p->left_scales[row] * p->scales[n];
            float value = (float)((double)sum * (double)scale + (double)(to->bias ? to->bias[n] : 0));
            value = to->gate ? to->gate[n] * value : value;
            const int64_t at = row * to->out_row + n;
            to->out[at] = to->add ? to->add[at] + value : value;
        }
    }
}
