/* SPDX-License-Identifier: Apache-2.0 */
/* Linear attention: two small products whose blocks of sums stay in registers. */
#include "kernels/table.h"
#include "kernels/vector/vector.h"

enum { ROWS = 4, VECTORS = 2 };

/** out [rows, columns] (+)= left·right, left(m, k) = left[m·row + k·step], right [depth, columns]; each row
 * is divided by its total where there are totals. */
typedef struct small_product {
    const float *left, *right;
    int64_t row, step, depth, columns;
    const float *total; /* [rows] */
    float *out;
    int64_t out_row;
    bool accumulate;
} small_product;

/** Rows [m, m + rows), columns [c, c + lanes) of each of `vectors`. */
PLD_INLINE void product_block(const small_product *p, const int rows, const int vectors, int64_t m, int64_t c,
                              int64_t lanes) {
    vec sums[ROWS][VECTORS];
    for (int i = 0; i < rows; i++) {
        for (int v = 0; v < vectors; v++) {
            sums[i][v] = splat(0);
        }
    }
    for (int64_t k = 0; k < p->depth; k++) {
        vec right[VECTORS];
        for (int64_t v = 0; v < vectors; v++) {
            right[v] = load_lanes(p->right + k * p->columns + c + v * PLD_LANES, lanes);
        }
        for (int i = 0; i < rows; i++) {
            const vec left = splat(p->left[(m + i) * p->row + k * p->step]);
            for (int v = 0; v < vectors; v++) {
                sums[i][v] += left * right[v];
            }
        }
    }
    for (int i = 0; i < rows; i++) {
        for (int64_t v = 0; v < vectors; v++) {
            float *out = p->out + (m + i) * p->out_row + c + v * PLD_LANES;
            vec sum = p->total ? sums[i][v] / splat(p->total[m + i]) : sums[i][v];
            store_lanes(out, p->accumulate ? load_lanes(out, lanes) + sum : sum, lanes);
        }
    }
}

PLD_INLINE void product_rows(const small_product *p, const int rows, int64_t m) {
    int64_t c = 0;
    for (; c + (int64_t)VECTORS * PLD_LANES <= p->columns; c += (int64_t)VECTORS * PLD_LANES) {
        product_block(p, rows, VECTORS, m, c, PLD_LANES);
    }
    for (; c < p->columns; c += PLD_LANES) {
        const int64_t left = p->columns - c;
        if (left >= PLD_LANES) {
            product_block(p, rows, 1, m, c, PLD_LANES);
        } else {
            product_block(p, rows, 1, m, c, left);
        }
    }
}

static void run_product(const small_product *p, int64_t rows) {
    int64_t m = 0;
    for (; m + ROWS <= rows; m += ROWS) {
        product_rows(p, ROWS, m);
    }
    for (; m < rows; m++) {
        product_rows(p, 1, m);
    }
}

static int64_t lanes_left(int64_t i, int64_t end) {
    return end - i < PLD_LANES ? end - i : PLD_LANES;
}

/** Σ k of the tokens. */
static void add_totals(const pld_linear_tokens *t) {
    float *totals = t->sums + (int64_t)t->head_size * t->head_size;
    for (int64_t i = 0; i < t->head_size; i += PLD_LANES) {
        const int64_t lanes = lanes_left(i, t->head_size);
        vec total = {0};
        for (int64_t token = 0; token < t->tokens; token++) {
            total += load_lanes(t->key + token * t->head_size + i, lanes);
        }
        store_lanes(totals + i, load_lanes(totals + i, lanes) + total, lanes);
    }
}

void PLD_KERNEL(linear_attention_sums)(const pld_linear_tokens *t) {
    const small_product p = {.left = t->key,
                             .right = t->value,
                             .row = 1,
                             .step = t->head_size,
                             .depth = t->tokens,
                             .columns = t->head_size,
                             .out = t->sums,
                             .out_row = t->head_size,
                             .accumulate = true};
    run_product(&p, t->head_size);
    add_totals(t);
}

/** query·Σ k of one row. */
static float total_of(const pld_linear_tokens *t, const float *query) {
    const float *totals = t->sums + (int64_t)t->head_size * t->head_size;
    vec total = {0};
    for (int64_t i = 0; i < t->head_size; i += PLD_LANES) {
        const int64_t lanes = lanes_left(i, t->head_size);
        total += load_lanes(query + i, lanes) * load_lanes(totals + i, lanes);
    }
    return (float)sum_lanes(total);
}

void PLD_KERNEL(linear_attention_rows)(const pld_linear_tokens *t) {
    enum { TOKENS = 64 };
    float totals[TOKENS];
    for (int64_t first = 0; first < t->tokens; first += TOKENS) {
        const int64_t count = t->tokens - first < TOKENS ? t->tokens - first : TOKENS;
        const float *query = t->query + first * t->head_size;
        for (int64_t token = 0; token < count; token++) {
            totals[token] = total_of(t, query + token * t->head_size) + t->epsilon;
        }
        const small_product p = {.left = query,
                                 .right = t->sums,
                                 .row = t->head_size,
                                 .step = 1,
                                 .depth = t->head_size,
                                 .columns = t->head_size,
                                 .total = totals,
                                 .out = t->out + first * t->out_stride,
                                 .out_row = t->out_stride};
        run_product(&p, count);
    }
}
