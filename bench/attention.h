/* SPDX-License-Identifier: Apache-2.0 */
/** Timing of attention: what PLADIS costs over softmax, and how near to the machine's peak both come. */
#ifndef PLD_BENCH_ATTENTION_H
#define PLD_BENCH_ATTENTION_H

#include <stdio.h>

#include "kernels/attention.h"

/** One shape of a real model; batch 1. */
typedef struct bench_shape {
    const char *name;
    bool cross; /* cross-attention: PLADIS variants are timed too, and the layer */
    int heads, head_size;
    int64_t queries, keys;
} bench_shape;

/** What is run in turn on a shape; the first is the base of the ratios. */
typedef struct bench_rule {
    const char *name;
    pld_attention_rows rows;
    float lambda, alpha;
} bench_rule;

enum { BENCH_RULES = 5 };
extern const bench_rule bench_rules[BENCH_RULES];

/** Medians over the rounds; ratios are medians of the ratios within a round. */
typedef struct bench_result {
    const bench_shape *shape;
    int rules; /* 1 for self-attention */
    double core_seconds[BENCH_RULES];
    double core_ratio[BENCH_RULES];
    double layer_seconds[BENCH_RULES]; /* to_q + core + to_out, keys and values given; 0: not run */
    double layer_ratio[BENCH_RULES];
} bench_result;

typedef struct bench_options {
    const pld_kernels *kernels;
    int threads, rounds;
    const char *filter; /* only shapes whose name contains it; NULL: all */
    const char *json;   /* file to write; NULL: none */
} bench_options;

/** Operations per second of `threads` cores doing nothing but multiply-adds (0 for scalar). */
double bench_peak(pld_isa isa, int threads);

/** Seconds for one row of `keys` logits through the row kernel alone. */
double bench_row_seconds(const pld_kernels *kernels, int64_t keys, float lambda, float alpha);

/** Seconds: of processor time of this thread when there is only one (other programs then disturb less). */
double bench_now(int threads);
double bench_median(double *values, int count);

/** The table, and JSON to `options->json`. Returns 0, or 1 when the file cannot be written. */
int bench_report(const bench_options *options, double peak, const double *row_seconds,
                 const bench_result *results, int count);

/** The command; `arguments` are --isa NAME, --threads N, --rounds N, --only TEXT, --json FILE. */
int bench_attention(int count, char **arguments);

#endif
