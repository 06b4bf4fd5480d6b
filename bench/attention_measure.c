/* SPDX-License-Identifier: Apache-2.0 */
/* Clock, median, measured peak and the row kernel alone. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <time.h>

#include "attention.h"
#include "core/memory.h"
#include "core/parallel.h"

double bench_now(int threads) {
    struct timespec now;
    clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

double bench_peak_avx2(long rounds, float *sink);
double bench_peak_avx512(long rounds, float *sink);

typedef struct peak_run {
    double (*run)(long rounds, float *sink);
    double operations[256];
    float sinks[256];
} peak_run;

enum { PEAK_ROUNDS = 4000000 };

static void run_peak(void *context, size_t begin, size_t end, int thread) {
    peak_run *run = context;
    for (size_t i = begin; i < end; i++) {
        run->operations[thread] += run->run(PEAK_ROUNDS, &run->sinks[thread]);
    }
}

double bench_peak(pld_isa isa, int threads) {
    peak_run run = {0};
#if defined(BENCH_PEAK_X86)
    run.run = isa == PLD_ISA_AVX2 ? bench_peak_avx2 : isa == PLD_ISA_AVX512 ? bench_peak_avx512 : NULL;
#endif
    if (!run.run || threads > 256) {
        return 0;
    }
    double best = 0;
    for (int round = 0; round < 7; round++) {
        for (int i = 0; i < threads; i++) {
            run.operations[i] = 0;
        }
        double start = bench_now(threads);
        pld_parallel_for(threads, (size_t)threads, run_peak, &run);
        double seconds = bench_now(threads) - start, operations = 0;
        for (int i = 0; i < threads; i++) {
            operations += run.operations[i];
        }
        best = operations / seconds > best ? operations / seconds : best;
    }
    return best;
}

double bench_row_seconds(const pld_kernels *kernels, int64_t keys, float lambda, float alpha) {
    enum { ROWS = 960, ROUNDS = 31 };
    float *logits = pld_allocate_aligned((size_t)(ROWS * keys), sizeof(float));
    float *weights = pld_allocate_aligned((size_t)(ROWS * keys), sizeof(float));
    float *scratch = pld_allocate_aligned(kernels->rows_scratch(keys), sizeof(float));
    double seconds[ROUNDS];
    if (logits && weights && scratch) {
        srand(1);
        for (int64_t i = 0; i < ROWS * keys; i++) {
            logits[i] = 7.6F * ((float)rand() / (float)RAND_MAX - 0.5F); /* standard deviation 2.2 */
        }
        for (int round = 0; round < ROUNDS; round++) {
            double start = bench_now(1);
            kernels->attention_rows(logits, ROWS, keys, NULL, 0, lambda, alpha, weights, scratch);
            seconds[round] = (bench_now(1) - start) / ROWS;
        }
    }
    bool ran = logits && weights && scratch;
    pld_free(logits);
    pld_free(weights);
    pld_free(scratch);
    return ran ? bench_median(seconds, ROUNDS) : 0;
}
