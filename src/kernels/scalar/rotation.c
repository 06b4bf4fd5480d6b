/* SPDX-License-Identifier: Apache-2.0 */
/* Norm and rotation of heads, a pair of numbers at a time: the specification of the vector version. */
#include <math.h>

#include "kernels/table.h"

/** What the norm makes of number `i` of a row: x·factor·weight. */
static float normed(const pld_head_rotation *r, const float *row, int64_t i, double factor) {
    if (r->norm == PLD_HEAD_NORM_NONE) {
        return row[i];
    }
    const int64_t at = r->norm == PLD_HEAD_NORM_ALL ? i : i % r->head_size;
    return (float)((double)row[i] * factor) * (r->weight ? r->weight[at] : 1.0F);
}

/** 1/√(mean(x²) + epsilon). */
static double factor_of(const float *x, int64_t count, float epsilon) {
    double squares = 0;
    for (int64_t i = 0; i < count; i++) {
        squares += (double)x[i] * (double)x[i];
    }
    return 1 / sqrt(squares / (double)count + (double)epsilon);
}

static void rotate_head(const pld_head_rotation *r, int64_t token, int64_t head, double factor) {
    const float *row = r->x + token * r->x_row;
    float *out = r->out + token * r->out_row;
    const int64_t first = head * r->head_size;
    const int64_t half = r->width / 2;
    for (int64_t pair = 0; pair < half; pair++) {
        const int64_t one = first + (r->halves ? pair : 2 * pair);
        const int64_t other = one + (r->halves ? half : 1);
        const float x = normed(r, row, one, factor), y = normed(r, row, other, factor);
        const float cosine = r->cos[token * half + pair], sine = r->sin[token * half + pair];
        out[one] = x * cosine - y * sine;
        out[other] = y * cosine + x * sine;
    }
    for (int64_t i = first + r->width; i < first + r->head_size; i++) {
        out[i] = normed(r, row, i, factor);
    }
}

void PLD_KERNEL(rotate_heads)(const pld_head_rotation *r) {
    for (int64_t token = 0; token < r->tokens; token++) {
        const float *row = r->x + token * r->x_row;
        const double all =
            r->norm == PLD_HEAD_NORM_ALL ? factor_of(row, (int64_t)r->heads * r->head_size, r->epsilon) : 1;
        for (int64_t head = 0; head < r->heads; head++) {
            const bool each = r->norm == PLD_HEAD_NORM_EACH;
            rotate_head(r, token, head,
                        each ? factor_of(row + head * r->head_size, r->head_size, r->epsilon) : all);
        }
    }
}
