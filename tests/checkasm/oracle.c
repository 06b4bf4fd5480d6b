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

/** Weights of one row of the map by the rule of the problem. */
static void row_weights(const pld_attention_problem *problem, int64_t row, const double *logits,
                        double *weights) {
    bool pladis = problem->rows == PLD_ROWS_PLADIS;
    int64_t text = problem->joint_text_keys;
    if (problem->rows == PLD_ROWS_IDENTITY) {
        for (int64_t key = 0; key < problem->key_count; key++) {
            weights[key] = key == row;
        }
        return;
    }
    bool joint = text > 0 && pladis;
    oracle_weights(logits, problem->key_count, pladis && !joint ? (double)problem->lambda : 0,
                   (double)problem->alpha, weights);
    if (joint && row >= problem->joint_first_image_query) {
        double mass = 0;
        for (int64_t key = 0; key < text; key++) {
            mass += weights[key];
        }
        oracle_weights(logits, text, (double)problem->lambda, (double)problem->alpha, weights);
        for (int64_t key = 0; key < text; key++) {
            weights[key] *= mass;
        }
    }
}

void oracle_attention(const pld_attention_problem *problem, double *out) {
    int d = problem->head_size;
    double *logits = malloc(2 * (size_t)problem->key_count * sizeof *logits);
    double *weights = logits + problem->key_count;
    double scale = problem->scale != 0 ? (double)problem->scale : 1 / sqrt(d);
    scale /= problem->rows == PLD_ROWS_TEMPERED ? (double)problem->temperature : 1;
    int64_t rows = problem->batch * problem->query_count * problem->heads;
    for (int64_t i = 0; logits && i < rows; i++) {
        int64_t head = i % problem->heads, row = i / problem->heads % problem->query_count;
        int64_t b = i / problem->heads / problem->query_count;
        for (int64_t key = 0; key < problem->key_count; key++) {
            const float *q = problem->query
                                 ? problem->query + b * problem->query_batch_stride +
                                       row * problem->query_token_stride + head * problem->query_head_stride
                                 : NULL;
            const float *k = problem->key
                                 ? problem->key + b * problem->key_batch_stride +
                                       key * problem->key_token_stride + head * problem->key_head_stride
                                 : NULL;
            double dot = 0;
            for (int c = 0; q && k && c < d; c++) {
                dot += (double)q[c] * (double)k[c];
            }
            bool live = !problem->key_mask || problem->key_mask[b * problem->key_mask_batch_stride + key];
            live = live && !(problem->causal && key > row);
            logits[key] = live ? scale * dot : -INFINITY;
        }
        row_weights(problem, row, logits, weights);
        for (int c = 0; c < d; c++) {
            out[i * d + c] = 0;
            for (int64_t key = 0; key < problem->key_count; key++) {
                out[i * d + c] +=
                    weights[key] *
                    (double)
                        problem->value[b * problem->value_batch_stride + key * problem->value_token_stride +
                                       head * problem->value_head_stride + c];
            }
        }
    }
    free(logits);
}
