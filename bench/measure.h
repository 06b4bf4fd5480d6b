/* SPDX-License-Identifier: Apache-2.0 */
/** What the groups share: clock, samples, the list of results. */
#ifndef PLD_BENCH_MEASURE_H
#define PLD_BENCH_MEASURE_H

#include "backends/backend.h"
#include "bench/bench.h"
#include "core/status.h"
#include "kernels/kernels.h"

struct bench_run {
    bench_options options;
    bench_machine machine;
    pld_engine *engine;
    const pld_kernels *kernels;
    const char *sampling_method; /* of the open model's pictures; NULL: its own */
    int threads;
    pld_product_type type; /* of denoisers' products */
    bench_result *results;
    size_t count, capacity;
};

enum { BENCH_MOST_REPEATS = 1001 };

/** Times of one thing. */
typedef struct bench_samples {
    double values[BENCH_MOST_REPEATS];
    int count;
} bench_samples;

/** Seconds: of this thread's processor time when there is only one (other programs then disturb less). */
double bench_now(int threads);

/** Repeats for something that takes `seconds`: what the user asked for, else as many as fit a fraction of a
 * second, at least `least`. */
int bench_repeats(const bench_run *run, double seconds, int least);

void bench_add_sample(bench_samples *samples, double value);

/** Quantile `q` of the samples, between neighbours in proportion; 0 without samples. */
double bench_quantile(const bench_samples *samples, double q);

/** Median of a[i] / b[i]. */
double bench_ratio(const bench_samples *a, const bench_samples *b);

/** A result of `group` with the figures of `samples`; the caller adds names and what else is known. */
bench_result bench_figures(const char *group, const bench_samples *samples, const char *unit);

/** Whether results of this name are wanted (--only). */
bool bench_wanted(const bench_run *run, const char *name);

/** Keep and show a result. */
pld_status bench_add(bench_run *run, const bench_result *result, pld_error *error);

/** PLD_ERROR_CANCELLED when the user said so. */
pld_status bench_check_cancel(const bench_run *run, pld_error *error);

/** Uniform numbers around 0 with this standard deviation, the same in every run; NULL when memory is out. */
float *bench_numbers(size_t count, float deviation);

/** Operations a second of `threads` cores doing nothing but multiply-adds of float32, or of bfloat16 pairs; 0
 * for scalar, and for bfloat16 without an instruction. */
double bench_peak(pld_isa isa, bool bf16, int threads);

/** Bytes a second that `threads` cores read from memory; 0 when memory is out. */
double bench_bandwidth(int threads);

/** Name of the CPU and size of the memory. */
void bench_read_machine(bench_machine *machine);

/** High-water mark of this process since bench_reset_peak_memory, which says whether it could be reset. */
uint64_t bench_peak_memory(void);
bool bench_reset_peak_memory(void);

pld_status bench_attention(bench_run *run, pld_error *error);
pld_status bench_kernels(bench_run *run, pld_error *error);
/** Of bench_kernels: linear layers on weights of each type, as they are stored. */
pld_status bench_stored_weights(bench_run *run, pld_error *error);
pld_status bench_operators(bench_run *run, pld_error *error);
pld_status bench_tune(bench_run *run, pld_error *error);
pld_status bench_stages(bench_run *run, pld_error *error);
pld_status bench_generate(bench_run *run, pld_error *error);

#endif
