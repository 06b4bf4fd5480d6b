/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax, α-entmax and their mix of a row of logits, in double: the specification of the vector versions. */
#include "kernels/scalar/rows.h"

#include <math.h>

#include "kernels/table.h"

/* Newton on a convex function ends in a few steps; the cap is for inputs that are not numbers. */
enum { PLD_NEWTON_STEPS = 100 };

float pld_scalar_logit(const pld_attention_tile *tile, int64_t number, int64_t key, double unit,
                       double product) {
    const int64_t own = tile->first_query + number;
    const bool seen = !tile->causal || (key <= own && (!tile->window || key > own - tile->window));
    if (!seen || (tile->key_mask && !tile->key_mask[key])) {
        return -INFINITY;
    }
    const double cap = unit * (double)tile->soft_cap;
    double logit = cap > 0 ? cap * tanh(product / cap) : product;
    if (tile->bias) {
        logit += unit * (double)tile->bias_factor * (double)tile->bias[number * tile->bias_stride + key];
    }
    return (float)logit;
}

static double positive_part(double x) {
    return x < 0 ? 0 : x; /* NaN stays */
}

/** Root τ of Σ[x−τ]₊^p = 1, x = (z − max)/p, p = 1/(α−1) (Peters et al. 2019, eq. 6). With N the p-norm of
 *  [x−τ]₊, Newton on N(τ) = 1: τ += (N−1)·N^(p−1) / Σ[x−τ]₊^(p−1). N is convex, so steps from τ = −1, where
 *  N >= 1, rise to the root without passing it. */
static double entmax_threshold(const float *logits, int64_t keys, double max, double power) {
    double threshold = -1;
    for (int step = 0; step < PLD_NEWTON_STEPS; step++) {
        double total = 0;
        double slope = 0;
        for (int64_t key = 0; key < keys; key++) {
            double t = positive_part((logits[key] - max) / power - threshold);
            total += pow(t, power);
            slope += t > 0 ? pow(t, power - 1) : 0; /* 0^0 would count keys outside the support at α = 2 */
        }
        double norm = pow(total, 1 / power);
        double change = (norm - 1) * pow(norm, power - 1) / slope;
        if (!(change > 1e-13)) {
            break;
        }
        threshold += change;
    }
    return threshold;
}

void pld_scalar_row_weights(const float *logits, int64_t keys, float lambda, float alpha, double *weights,
                            double *max, double *sum) {
    double high = -INFINITY;
    for (int64_t key = 0; key < keys; key++) {
        high = logits[key] <= high ? high : logits[key];
    }
    double total = 0;
    for (int64_t key = 0; key < keys; key++) {
        weights[key] = high == -INFINITY ? 0 : exp(logits[key] - high);
        total += weights[key];
    }
    *max = high;
    *sum = total;
    if (lambda == 0 || high == -INFINITY) {
        return;
    }
    double power = 1 / ((double)alpha - 1);
    double threshold = entmax_threshold(logits, keys, high, power);
    double sparse_total = 0;
    for (int64_t key = 0; key < keys; key++) {
        sparse_total += pow(positive_part((logits[key] - high) / power - threshold), power);
    }
    for (int64_t key = 0; key < keys; key++) {
        double sparse = pow(positive_part((logits[key] - high) / power - threshold), power) / sparse_total;
        weights[key] = (1 - (double)lambda) * weights[key] + (double)lambda * total * sparse;
    }
}

size_t PLD_KERNEL(rows_scratch)(int64_t keys) {
    return 3 * (size_t)keys; /* weights in double, logits */
}

void PLD_KERNEL(attention_rows)(const float *logits, int64_t rows, int64_t keys, const uint8_t *mask,
                                int64_t mask_stride, float lambda, float alpha, float *weights,
                                float *scratch) {
    double *mixed = (double *)(void *)scratch;
    float *live_logits = scratch + 2 * keys;
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t key = 0; key < keys; key++) {
            bool live = !mask || mask[row * mask_stride + key];
            live_logits[key] = live ? logits[row * keys + key] : -INFINITY;
        }
        double max, sum;
        pld_scalar_row_weights(live_logits, keys, lambda, alpha, mixed, &max, &sum);
        for (int64_t key = 0; key < keys; key++) {
            weights[row * keys + key] = sum == 0 ? 0 : (float)(mixed[key] / sum);
        }
    }
}
