/* SPDX-License-Identifier: Apache-2.0 */
/* Attention, one query row and one key at a time: the specification of the vector versions. */
#include <math.h>

#include "kernels/scalar/rows.h"
#include "kernels/table.h"

/** What is known of a row so far: out = sums / total once every key is in. */
typedef struct row_state {
    double max, total;
    double *sums; /* [head_size], Σ weight·value */
} row_state;

size_t PLD_KERNEL(attention_scratch)(const pld_attention_shape *shape) {
    return 2 * (size_t)shape->head_size + 3 * (size_t)(shape->sparse_keys + shape->zero_keys);
}

int64_t PLD_KERNEL(attention_query_block)(void) {
    return 1;
}

int64_t PLD_KERNEL(attention_queries)(const pld_attention_shape *shape) {
    (void)shape;
    return 16;
}

/** The logit of query row `number`, or −∞ for a key that does not count. */
static float logit(const pld_attention_tile *tile, int64_t number, int64_t key) {
    const float *query = tile->query + number * tile->query_stride;
    double dot = 0;
    for (int i = 0; i < tile->head_size; i++) {
        dot += (double)query[i] * (double)tile->key[key * tile->key_stride + i];
    }
    return pld_scalar_logit(tile, number, key, 1, (double)tile->scale * dot);
}

static void add_value(const pld_attention_tile *tile, row_state *row, int64_t key, double weight) {
    for (int i = 0; i < tile->head_size; i++) {
        row->sums[i] += weight * (double)tile->value[key * tile->value_stride + i];
    }
}

/** The sparse keys, and zero keys after them: PLADIS weights that keep the dense mass of the block. */
static void add_sparse_keys(const pld_attention_tile *tile, int64_t number, row_state *row, float *scratch) {
    const int64_t keys = tile->sparse_keys + tile->zero_keys;
    double *weights = (double *)(void *)scratch;
    float *logits = scratch + 2 * keys;
    for (int64_t i = 0; i < keys; i++) {
        logits[i] = i < tile->sparse_keys ? logit(tile, number, tile->sparse_first + i) : 0;
    }
    pld_scalar_row_weights(logits, keys, tile->lambda, tile->alpha, weights, &row->max, &row->total);
    for (int64_t i = 0; i < tile->sparse_keys; i++) {
        if (logits[i] != -INFINITY) {
            add_value(tile, row, tile->sparse_first + i, weights[i]);
        }
    }
}

/** The other keys: online softmax (Milakov & Gimelshein 2018, arXiv 1805.02867). */
static void add_dense_keys(const pld_attention_tile *tile, int64_t number, row_state *row) {
    for (int64_t key = 0; key < tile->keys; key++) {
        if (key == tile->sparse_first) {
            key += tile->sparse_keys;
            if (key == tile->keys) {
                break;
            }
        }
        float z = logit(tile, number, key);
        if (z == -INFINITY) {
            continue;
        }
        if (!(z <= row->max)) {
            double correction = exp(row->max - z); /* 0 for the first key */
            row->total *= correction;
            for (int i = 0; i < tile->head_size; i++) {
                row->sums[i] *= correction;
            }
            row->max = z;
        }
        double weight = exp(z - row->max);
        row->total += weight;
        add_value(tile, row, key, weight);
    }
}

void PLD_KERNEL(attention_tile)(const pld_attention_tile *tile, float *scratch) {
    row_state row = {.sums = (double *)(void *)scratch};
    for (int64_t i = 0; i < tile->queries; i++) {
        float *out = tile->out + i * tile->out_stride;
        const bool zeros = !tile->sparse_keys && tile->zero_keys;
        row.max = zeros ? 0 : -INFINITY;
        row.total = zeros ? (double)tile->zero_keys : 0;
        for (int c = 0; c < tile->head_size; c++) {
            row.sums[c] = 0;
        }
        if (tile->sparse_keys) {
            add_sparse_keys(tile, i, &row, scratch + 2 * (int64_t)tile->head_size);
        }
        add_dense_keys(tile, i, &row);
        for (int c = 0; c < tile->head_size; c++) {
            out[c] = row.total == 0 ? 0 : (float)(row.sums[c] / row.total);
        }
    }
}
