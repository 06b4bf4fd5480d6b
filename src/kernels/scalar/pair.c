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

void PLD_KERNEL(pair_product)(const pld_pair_product *p) {
    const int64_t width = PLD_KERNEL(panel_columns)();
    for (int64_t row = 0; row < p->rows; row++) {
        const uint32_t *left = p->left + row * p->left_row;
        float *out = p->out + row * p->out_row;
        for (int64_t n = 0; n < p->columns; n++) {
            float sum = 0;
            for (int64_t k = 0; k < p->pairs; k++) {
                const uint32_t right = p->panel[k * width + n];
                sum += later(left[k]) * later(right);
                sum += earlier(left[k]) * earlier(right);
            }
            sum += p->bias ? p->bias[n] : 0;
            out[n] = p->add ? p->add[row * p->out_row + n] + sum : sum;
        }
    }
}
