/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax attention with products of bfloat16 operands, one query row and one key at a time: the
 * specification of the vector version, but for the maximum that a weight is taken from when it is rounded:
 * here the row's, there the largest so far. */
#include <math.h>

#include "kernels/scalar/rows.h"
#include "kernels/table.h"

static const double log2_e = 1.44269504088896341;

size_t PLD_KERNEL(attention_bf16_scratch)(const pld_attention_shape *shape) {
    /* sums in double, the query; weights in double and logits of sparse keys */
    return 3 * (size_t)shape->head_size + 1 + 3 * (size_t)(shape->sparse_keys + shape->zero_keys);
}

int64_t PLD_KERNEL(attention_bf16_queries)(const pld_attention_shape *shape) {
    (void)shape;
    return 16;
}

static float rounded(float x) {
    uint16_t bits;
    float value;
    PLD_KERNEL(f32_to_bf16)(&x, 1, &bits);
    PLD_KERNEL(bf16_to_f32)(&bits, 1, &value);
    return value;
}

/** One query row on its way. */
typedef struct row_state {
    const float *query; /* [head_size], scaled by scale·log2(e) and rounded */
    double max, total;  /* the maximum as an exponent of 2 */
    double *sums;       /* [head_size], Σ weight·value */
} row_state;

/** The logit of query row `number`, an exponent of 2, or −∞ for a key that does not count. */
static float logit(const pld_attention_tile *tile, const row_state *row, int64_t number, int64_t key) {
    double dot = 0;
    for (int i = 0; i < tile->head_size; i++) {
        dot += (double)row->query[i] * (double)rounded(tile->key[key * tile->key_stride + i]);
    }
    return pld_scalar_logit(tile, number, key, log2_e, dot);
}

static void add_value(const pld_attention_tile *tile, row_state *row, int64_t key, float weight) {
    row->total += (double)rounded(weight);
    for (int i = 0; i < tile->head_size; i++) {
        row->sums[i] += (double)rounded(weight) * (double)rounded(tile->value[key * tile->value_stride + i]);
    }
}

/** The sparse keys, and zero keys after them. */
static void add_sparse_keys(const pld_attention_tile *tile, int64_t number, row_state *row, float *scratch) {
    const int64_t keys = tile->sparse_keys + tile->zero_keys;
    double *weights = (double *)(void *)scratch;
    float *logits = scratch + 2 * keys;
    double total;
    for (int64_t i = 0; i < keys; i++) {
        const double z = i < tile->sparse_keys ? (double)logit(tile, row, number, tile->sparse_first + i) : 0;
        logits[i] = (float)(z / log2_e);
    }
    pld_scalar_row_weights(logits, keys, tile->lambda, tile->alpha, weights, &row->max, &total);
    row->max *= log2_e;
    for (int64_t i = 0; i < keys; i++) {
        if (i >= tile->sparse_keys) {
            row->total += weights[i];
        } else if (logits[i] != -INFINITY) {
            add_value(tile, row, tile->sparse_first + i, (float)weights[i]);
        }
    }
}

static bool is_dense(const pld_attention_tile *tile, int64_t key) {
    return key < tile->sparse_first || key >= tile->sparse_first + tile->sparse_keys;
}

/** The other keys: their maximum first, then their weights. */
static void add_dense_keys(const pld_attention_tile *tile, int64_t number, row_state *row) {
    double max = row->max;
    for (int64_t key = 0; key < tile->keys; key++) {
        const double z = is_dense(tile, key) ? (double)logit(tile, row, number, key) : -INFINITY;
        max = z <= max ? max : z; /* NaN stays */
    }
    const double correction = row->max == max ? 1 : exp2(row->max - max);
    row->total *= correction;
    for (int i = 0; i < tile->head_size; i++) {
        row->sums[i] *= correction;
    }
    for (int64_t key = 0; key < tile->keys; key++) {
        const float z = is_dense(tile, key) ? logit(tile, row, number, key) : -INFINITY;
        if (z != -INFINITY) {
            add_value(tile, row, key, (float)exp2((double)z - max));
        }
    }
}

void PLD_KERNEL(attention_bf16_tile)(const pld_attention_tile *tile, float *scratch) {
    float *query = scratch + 2 * (int64_t)tile->head_size;
    row_state row = {.query = query, .sums = (double *)(void *)scratch};
    const float scale = tile->scale * 1.44269504F; /* log2 e: products are exponents of 2 */
    for (int64_t i = 0; i < tile->queries; i++) {
        const bool zeros = !tile->sparse_keys && tile->zero_keys;
        row.max = zeros ? 0 : -INFINITY;
        row.total = zeros ? (double)tile->zero_keys : 0;
        for (int c = 0; c < tile->head_size; c++) {
            query[c] = rounded(scale * tile->query[i * tile->query_stride + c]);
            row.sums[c] = 0;
        }
        if (tile->sparse_keys) { /* their scratch begins at a whole number of doubles */
            add_sparse_keys(tile, i, &row, query + tile->head_size + tile->head_size % 2);
        }
        add_dense_keys(tile, i, &row);
        for (int c = 0; c < tile->head_size; c++) {
            tile->out[i * tile->out_stride + c] = row.total == 0 ? 0 : (float)(row.sums[c] / row.total);
        }
    }
}
