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

size_t PLD_KERNEL(attention_scratch)(int64_t sparse_keys, int head_size) {
    return 2 * (size_t)head_size + 3 * (size_t)sparse_keys;
}

int64_t PLD_KERNEL(attention_query_block)(void) {
    return 1;
}

int64_t PLD_KERNEL(attention_queries)(int64_t sparse_keys, int head_size) {
    (void)sparse_keys;
    (void)head_size;
    return 16;
}

/** scale·q·k, or −∞ for a key that does not count. */
static float logit(const pld_attention_tile *tile, const float *query, int64_t key) {
    if (tile->key_mask && !tile->key_mask[key]) {
        return -INFINITY;
    }
    double dot = 0;
    for (int i = 0; i < tile->head_size; i++) {
        dot += (double)query[i] * (double)tile->key[key * tile->key_stride + i];
    }
    return (float)((double)tile->scale * dot);
}

static void add_value(const pld_attention_tile *tile, row_state *row, int64_t key, double weight) {
    for (int i = 0; i < tile->head_size; i++) {
        row->sums[i] += weight * (double)tile->value[key * tile->value_stride + i];
    }
}

/** The first tile->sparse_keys keys: PLADIS weights that keep the dense mass of the block. */
static void add_sparse_keys(const pld_attention_tile *tile, const float *query, row_state *row,
                            float *scratch) {
    double *weights = (double *)(void *)scratch;
    float *logits = scratch + 2 * tile->sparse_keys;
    for (int64_t key = 0; key < tile->sparse_keys; key++) {
        logits[key] = logit(tile, query, key);
    }
    pld_scalar_row_weights(logits, tile->sparse_keys, tile->lambda, tile->alpha, weights, &row->max,
                           &row->total);
    for (int64_t key = 0; key < tile->sparse_keys; key++) {
        if (logits[key] != -INFINITY) {
            add_value(tile, row, key, weights[key]);
        }
    }
}

/** The other keys of query row `number`: online softmax (Milakov & Gimelshein 2018, arXiv 1805.02867). */
static void add_dense_keys(const pld_attention_tile *tile, int64_t number, row_state *row) {
    const float *query = tile->query + number * tile->query_stride;
    const int64_t seen = tile->first_query + number + 1;
    const int64_t end = tile->causal && seen < tile->keys ? seen : tile->keys;
    for (int64_t key = tile->sparse_keys; key < end; key++) {
        float z = logit(tile, query, key);
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
        const float *query = tile->query + i * tile->query_stride;
        float *out = tile->out + i * tile->out_stride;
        row.max = -INFINITY;
        row.total = 0;
        for (int c = 0; c < tile->head_size; c++) {
            row.sums[c] = 0;
        }
        if (tile->sparse_keys) {
            add_sparse_keys(tile, query, &row, scratch + 2 * (int64_t)tile->head_size);
        }
        add_dense_keys(tile, i, &row);
        for (int c = 0; c < tile->head_size; c++) {
            out[c] = row.total == 0 ? 0 : (float)(row.sums[c] / row.total);
        }
    }
}
