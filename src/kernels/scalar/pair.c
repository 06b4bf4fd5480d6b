/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix product of bfloat16 pairs with packed panels: the specification of the vector version. */
#include <string.h>

#include "kernels/table.h"

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float earlier(uint32_t pair) {
    return float_of(pair << 16);
}

static float later(uint32_t pair) {
    return float_of(pair & 0xffff0000U);
}

/** The sum over taps and pairs of one row and column. */
static float product_of(const pld_pair_product *p, int64_t row, int64_t column) {
    const int64_t width = PLD_KERNEL(panel_columns)();
    const int parts = pld_pair_is_split(p) ? PLD_PAIR_PARTS : 1;
    float sum = 0;
    for (int64_t tap = 0; tap < p->taps; tap++) {
        for (int i = 0; i < parts; i++) {
            const pld_pair_part part = pld_pair_part_at(p, i);
            const uint32_t *left = pld_pair_left(p, row) + pld_pair_tap(p, tap) + part.left;
            const uint32_t *panel = p->panel + tap * p->panel_tap + part.panel + column;
            for (int64_t k = 0; k < p->pairs; k++) {
                const uint32_t right = panel[k * width];
                sum += later(left[k]) * later(right);
                sum += earlier(left[k]) * earlier(right);
            }
        }
    }
    return sum;
}

void PLD_KERNEL(pair_product)(const pld_pair_product *p) {
    for (int64_t row = 0; row < p->rows; row++) {
        float *out = p->out + row * p->out_row;
        for (int64_t n = 0; n < p->columns; n++) {
            float sum = product_of(p, row, n);
            sum += p->bias ? p->bias[n] : 0;
            sum = p->gate ? p->gate[n] * sum : sum;
            out[n] = p->add ? p->add[row * p->out_row + n] + sum : sum;
        }
    }
}

pld_pair_block PLD_KERNEL(pair_block)(void) {
    return (pld_pair_block){240, 320};
}
