/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax and PLADIS on tiles of logits, and the rows kernel on top. */
#include "kernels/vector/rows.h"

#include "kernels/table.h"
#include "kernels/vector/entmax.h"
#include "kernels/vector/transpose.h"

tile_row PLD_KERNEL(tile_maximum)(const float *tile, int64_t keys, tile_row so_far) {
    for (int64_t key = 0; key < keys; key++) {
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            so_far.at[v] = larger(load(tile + key * PLD_TILE + v * PLD_LANES), so_far.at[v]);
        }
    }
    return so_far;
}

tile_row PLD_KERNEL(tile_exponential)(float *tile, int64_t keys, tile_row max) {
    tile_row sum = {0};
    for (int64_t key = 0; key < keys; key++) {
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            float *at = tile + key * PLD_TILE + v * PLD_LANES;
            vec weight = exp2_of((load(at) - max.at[v]) * splat(PLD_LOG2_E));
            sum.at[v] += weight;
            store(at, weight);
        }
    }
    return sum;
}

/** logits in the tile → x = (α−1)(z − max); returns Σ exp(z − max), keeps the exponentials in `dense` if
 * there, and gives the sums of the first Newton step, at τ = −1. */
PLD_INLINE tile_row prepare(const entmax_kind kind, const entmax_rule *rule, float *tile, float *dense,
                            int64_t keys, tile_row max, entmax_sums *first) {
    tile_row total = {0};
    *first = (entmax_sums){0};
    for (int64_t key = 0; key < keys; key++) {
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            int64_t at = key * PLD_TILE + v * PLD_LANES;
            vec distance = load(tile + at) - max.at[v];
            vec exponential = exp2_of(distance * splat(PLD_LOG2_E));
            vec x = distance * splat(rule->alpha - 1);
            total.at[v] += exponential;
            add_to_sums(first_kind(kind), rule, support_part(x, splat(-1)), first, v);
            store(tile + at, x);
            if (dense) {
                store(dense + at, exponential);
            }
        }
    }
    return total;
}

/** Sums of the sparse weights of x in the tile; with `keep` the weights take the place of x. */
PLD_INLINE tile_row weigh(const entmax_kind kind, const entmax_rule *rule, float *tile, int64_t keys,
                          tile_row threshold, bool keep) {
    tile_row sum = {0};
    for (int64_t key = 0; key < keys; key++) {
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            float *at = tile + key * PLD_TILE + v * PLD_LANES;
            vec base = support_part(load(at), threshold.at[v]);
            vec weight = base * power_below(kind, rule, base);
            sum.at[v] += weight;
            if (keep) {
                store(at, weight);
            }
        }
    }
    return sum;
}

PLD_INLINE tile_row pladis_of_kind(const entmax_kind kind, const entmax_rule *rule, float *tile, float *dense,
                                   int64_t keys, float lambda, tile_row max) {
    entmax_sums first;
    tile_row total = prepare(kind, rule, tile, dense, keys, max, &first);
    tile_row threshold = entmax_threshold(kind, rule, tile, keys, first);
    tile_row sum = weigh(kind, rule, tile, keys, threshold, dense != NULL);
    tile_row factor;
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        vec share = splat(lambda) * total.at[v] / sum.at[v];
        factor.at[v] = select_lanes(sum.at[v] == splat(0), splat(0), share); /* 0: no live key */
    }
    vec stretch = splat(PLD_LOG2_E / (rule->alpha - 1));
    for (int64_t key = 0; key < keys; key++) {
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            int64_t at = key * PLD_TILE + v * PLD_LANES;
            vec sparse = load(tile + at);
            vec exponential;
            if (dense) {
                exponential = load(dense + at);
            } else {
                vec base = support_part(sparse, threshold.at[v]);
                exponential = exp2_of(sparse * stretch);
                sparse = base * power_below(kind, rule, base);
            }
            store(tile + at, splat(1 - lambda) * exponential + factor.at[v] * sparse);
        }
    }
    return total;
}

tile_row PLD_KERNEL(tile_pladis)(float *tile, float *dense, int64_t keys, float lambda, float alpha,
                                 tile_row max) {
    entmax_rule rule = make_entmax_rule(alpha);
    switch (rule.kind) {
    case PLD_POWER_ROUGH: /* never a rule of its own */
#define PLD_POWER_CASE(kind)                                                                                 \
    case kind:                                                                                               \
        return dense ? pladis_of_kind(kind, &rule, tile, dense, keys, lambda, max)                           \
                     : pladis_of_kind(kind, &rule, tile, NULL, keys, lambda, max);
        PLD_POWER_CASE(PLD_POWER_ANY)
        PLD_POWER_CASE(PLD_POWER_1)
        PLD_POWER_CASE(PLD_POWER_2)
        PLD_POWER_CASE(PLD_POWER_3)
        PLD_POWER_CASE(PLD_POWER_4)
#undef PLD_POWER_CASE
    }
    return max; /* not reached: every kind is above */
}

/** Dead keys of the rows of a tile get PLD_DEAD_LOGIT. */
static void mask_tile(float *tile, int64_t rows, int64_t keys, const uint8_t *mask, int64_t mask_stride) {
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t key = 0; key < keys; key++) {
            if (!mask[row * mask_stride + key]) {
                tile[key * PLD_TILE + row] = PLD_DEAD_LOGIT;
            }
        }
    }
}

size_t PLD_KERNEL(rows_scratch)(int64_t keys) {
    return (size_t)keys * PLD_TILE * (keys <= PLD_DENSE_KEYS ? 2 : 1);
}

void PLD_KERNEL(attention_rows)(const float *logits, int64_t rows, int64_t keys, const uint8_t *mask,
                                int64_t mask_stride, float lambda, float alpha, float *weights,
                                float *scratch) {
    float *dense = keys <= PLD_DENSE_KEYS ? scratch + keys * PLD_TILE : NULL;
    tile_row floor;
    for (int v = 0; v < PLD_TILE_VECTORS; v++) {
        floor.at[v] = splat(PLD_MAXIMUM_FLOOR);
    }
    for (int64_t row = 0; row < rows; row += PLD_TILE) {
        int64_t count = rows - row < PLD_TILE ? rows - row : PLD_TILE;
        rows_to_tile(logits + row * keys, keys, count, keys, scratch);
        if (mask) {
            mask_tile(scratch, count, keys, mask + row * mask_stride, mask_stride);
        }
        tile_row max = PLD_KERNEL(tile_maximum)(scratch, keys, floor);
        tile_row total = lambda == 0 ? PLD_KERNEL(tile_exponential)(scratch, keys, max)
                                     : PLD_KERNEL(tile_pladis)(scratch, dense, keys, lambda, alpha, max);
        for (int v = 0; v < PLD_TILE_VECTORS; v++) {
            vec inverse = select_lanes(total.at[v] == splat(0), splat(0), splat(1) / total.at[v]);
            for (int64_t key = 0; key < keys; key++) {
                float *at = scratch + key * PLD_TILE + v * PLD_LANES;
                store(at, load(at) * inverse);
            }
        }
        tile_to_rows(scratch, count, keys, weights + row * keys, keys);
    }
}
