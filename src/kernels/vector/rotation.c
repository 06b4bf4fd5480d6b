/* SPDX-License-Identifier: Apache-2.0 */
/* Norm and rotation of heads, a vector of a head at a time. */
#include "kernels/table.h"
#include "kernels/vector/row_sum.h"

/** Every number's neighbour in its pair. */
PLD_INLINE vec neighbours(vec x) {
#if PLD_VECTOR_BYTES == 64
    return __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
#else
    return __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6);
#endif
}

/** One head of one token. */
typedef struct head_way {
    const float *in, *weight; /* [head_size]; weight NULL: none */
    float *out;
    bool normed;
    float factor;
} head_way;

/** What the norm makes of `lanes` numbers from `i` on. */
PLD_INLINE vec normed(const head_way *head, int64_t i, int64_t lanes) {
    vec x = load_lanes(head->in + i, lanes);
    x = head->normed ? x * splat(head->factor) : x;
    return head->weight ? x * load_lanes(head->weight + i, lanes) : x;
}

PLD_INLINE int64_t lanes_left(int64_t i, int64_t end) {
    return end - i < PLD_LANES ? end - i : PLD_LANES;
}

/** Pairs side by side: `cosines` and `sines` [width] hold each angle twice, the first sine negated. */
static void rotate_pairs(const head_way *head, int64_t width, const float *cosines, const float *sines) {
    for (int64_t i = 0; i < width; i += PLD_LANES) {
        const int64_t lanes = lanes_left(i, width);
        const vec x = normed(head, i, lanes);
        const vec turned = x * load_lanes(cosines + i, lanes) + neighbours(x) * load_lanes(sines + i, lanes);
        store_lanes(head->out + i, turned, lanes);
    }
}

/** Pairs half the width apart. */
static void rotate_halves(const head_way *head, int64_t width, const float *cosines, const float *sines) {
    const int64_t half = width / 2;
    for (int64_t i = 0; i < half; i += PLD_LANES) {
        const int64_t lanes = lanes_left(i, half);
        const vec x = normed(head, i, lanes), y = normed(head, half + i, lanes);
        const vec cosine = load_lanes(cosines + i, lanes), sine = load_lanes(sines + i, lanes);
        store_lanes(head->out + i, x * cosine - y * sine, lanes);
        store_lanes(head->out + half + i, y * cosine + x * sine, lanes);
    }
}

/** A token's angles for rotate_pairs. */
static void spread_angles(const float *cosine, const float *sine, int64_t pairs, float *cosines,
                          float *sines) {
    for (int64_t i = 0; i < pairs; i++) {
        cosines[2 * i] = cosines[2 * i + 1] = cosine[i];
        sines[2 * i] = -sine[i];
        sines[2 * i + 1] = sine[i];
    }
}

static float factor_of(const float *x, int64_t count, float epsilon) {
    return (float)(1 / sqrt(sum_row(x, count, 0, true) / (double)count + (double)epsilon));
}

static head_way head_of(const pld_head_rotation *r, int64_t token, int64_t head, float factor_of_all) {
    const int64_t at = head * r->head_size;
    const bool each = r->norm == PLD_HEAD_NORM_EACH;
    head_way way = {.in = r->x + token * r->x_row + at,
                    .out = r->out + token * r->out_row + at,
                    .normed = r->norm != PLD_HEAD_NORM_NONE,
                    .factor = factor_of_all};
    way.weight = way.normed && r->weight ? r->weight + (each ? 0 : at) : NULL;
    way.factor = each ? factor_of(way.in, r->head_size, r->epsilon) : factor_of_all;
    return way;
}

void PLD_KERNEL(rotate_heads)(const pld_head_rotation *r) {
    float cosines[PLD_MOST_ROTATED], sines[PLD_MOST_ROTATED];
    const int64_t half = r->width / 2;
    for (int64_t token = 0; token < r->tokens; token++) {
        const float *cosine = r->cos + token * half, *sine = r->sin + token * half;
        const float all =
            r->norm == PLD_HEAD_NORM_ALL
                ? factor_of(r->x + token * r->x_row, (int64_t)r->heads * r->head_size, r->epsilon)
                : 1;
        if (!r->halves) {
            spread_angles(cosine, sine, half, cosines, sines);
        }
        for (int64_t number = 0; number < r->heads; number++) {
            const head_way head = head_of(r, token, number, all);
            if (r->halves) {
                rotate_halves(&head, r->width, cosine, sine);
            } else {
                rotate_pairs(&head, r->width, cosines, sines);
            }
            for (int64_t i = r->width; i < r->head_size; i += PLD_LANES) {
                const int64_t lanes = lanes_left(i, r->head_size);
                store_lanes(head.out + i, normed(&head, i, lanes), lanes);
            }
        }
    }
}
