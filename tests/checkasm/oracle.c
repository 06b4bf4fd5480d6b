/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static double sparse_sum(const double *logits, int64_t keys, double max, double alpha, double threshold) {
    double sum = 0;
    for (int64_t key = 0; key < keys; key++) {
        double t = (alpha - 1) * (logits[key] - max) - threshold;
        sum += t > 0 ? pow(t, 1 / (alpha - 1)) : 0;
    }
    return sum;
}

void oracle_weights(const double *logits, int64_t keys, double lambda, double alpha, double *weights) {
    double max = -INFINITY, sum = 0, low = -1, high = 0;
    for (int64_t key = 0; key < keys; key++) {
        max = logits[key] > max ? logits[key] : max;
    }
    for (int64_t key = 0; key < keys; key++) {
        weights[key] = max == -INFINITY ? 0 : exp(logits[key] - max);
        sum += weights[key];
    }
    for (int64_t key = 0; key < keys && sum != 0; key++) {
        weights[key] /= sum;
    }
    if (lambda == 0 || max == -INFINITY) {
        return;
    }
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        *(sparse_sum(logits, keys, max, alpha, middle) >= 1 ? &low : &high) = middle;
    }
    sum = sparse_sum(logits, keys, max, alpha, low);
    for (int64_t key = 0; key < keys; key++) {
        double t = (alpha - 1) * (logits[key] - max) - low;
        double sparse = t > 0 ? pow(t, 1 / (alpha - 1)) / sum : 0;
        weights[key] = (1 - lambda) * weights[key] + lambda * sparse;
    }
}

/** Weights of one row of the map [key_count + zero_keys] by the rule of the problem: zero keys come last. */
static void row_weights(const pld_attention_problem *problem, int64_t row, const double *logits,
                        double *weights) {
    const int64_t keys = problem->key_count + problem->zero_keys;
    const bool pladis = problem->rows == PLD_ROWS_PLADIS;
    if (problem->rows == PLD_ROWS_IDENTITY) {
        for (int64_t key = 0; key < keys; key++) {
            weights[key] = key == row;
        }
        return;
    }
    const int64_t first_row = problem->joint_first_image_query;
    const int64_t end_row =
        problem->joint_image_queries ? first_row + problem->joint_image_queries : problem->query_count;
    const bool image = pladis && row >= first_row && row < end_row;
    const bool joint = problem->joint_text_keys > 0;
    oracle_weights(logits, keys, image && !joint ? (double)problem->lambda : 0, (double)problem->alpha,
                   weights);
    if (!image || !joint) {
        return;
    }
    const int64_t text = problem->joint_text_keys, from = problem->joint_first_text_key;
    double *text_logits = malloc(2 * (size_t)(text + problem->zero_keys) * sizeof *text_logits);
    double *text_weights = text_logits + text + problem->zero_keys;
    double mass = 0;
    for (int64_t i = 0; text_logits && i < text + problem->zero_keys; i++) {
        const int64_t key = i < text ? from + i : problem->key_count + i - text;
        text_logits[i] = logits[key];
        mass += weights[key];
    }
    oracle_weights(text_logits, text + problem->zero_keys, (double)problem->lambda, (double)problem->alpha,
                   text_weights);
    for (int64_t i = 0; i < text; i++) {
        weights[from + i] = mass * text_weights[i];
    }
    free(text_logits);
}

static double logit_of(const pld_attention_problem *p, int64_t b, int64_t head, int64_t row, int64_t key) {
    const int64_t key_head = p->key_heads ? head / (p->heads / p->key_heads) : head;
    const bool seen = !p->causal || (key <= row && (p->window == 0 || key > row - p->window));
    if (!seen || (p->key_mask && !p->key_mask[b * p->key_mask_batch_stride + key])) {
        return -INFINITY;
    }
    double z = 0;
    if (p->query && p->key) {
        const float *q =
            p->query + b * p->query_batch_stride + row * p->query_token_stride + head * p->query_head_stride;
        const float *k =
            p->key + b * p->key_batch_stride + key * p->key_token_stride + key_head * p->key_head_stride;
        for (int c = 0; c < p->head_size; c++) {
            z += (double)q[c] * (double)k[c];
        }
    }
    z *= p->scale != 0 ? (double)p->scale : 1 / sqrt(p->head_size);
    z = p->soft_cap > 0 ? (double)p->soft_cap * tanh(z / (double)p->soft_cap) : z;
    if (p->bias) {
        const int64_t batch = p->bias_batch_stride == PLD_STRIDE_SHARED ? 0 : b * p->bias_batch_stride;
        z += (double)p->bias[batch + head * p->bias_head_stride + row * p->bias_query_stride + key];
    }
    return z / (p->rows == PLD_ROWS_TEMPERED ? (double)p->temperature : 1);
}

void oracle_attention(const pld_attention_problem *problem, double *out) {
    const int d = problem->head_size;
    const int64_t keys = problem->key_count + problem->zero_keys;
    double *logits = malloc(2 * (size_t)keys * sizeof *logits);
    double *weights = logits + keys;
    const int64_t rows = problem->batch * problem->query_count * problem->heads;
    for (int64_t i = 0; logits && i < rows; i++) {
        const int64_t head = i % problem->heads, row = i / problem->heads % problem->query_count;
        const int64_t b = i / problem->heads / problem->query_count;
        const int64_t key_head = problem->key_heads ? head / (problem->heads / problem->key_heads) : head;
        const float *values =
            problem->value + b * problem->value_batch_stride + key_head * problem->value_head_stride;
        for (int64_t key = 0; key < keys; key++) {
            logits[key] = key < problem->key_count ? logit_of(problem, b, head, row, key) : 0;
        }
        row_weights(problem, row, logits, weights);
        for (int c = 0; c < d; c++) {
            out[i * d + c] = 0;
            for (int64_t key = 0; key < problem->key_count; key++) {
                out[i * d + c] += weights[key] * (double)values[key * problem->value_token_stride + c];
            }
        }
    }
    free(logits);
}
