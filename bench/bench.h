/* SPDX-License-Identifier: Apache-2.0 */
/** Measuring: kernels, attention, operators, stages and whole generations. `pladis bench` drives it.
 *
 * Every result is a median over repeats after a warm-up, with its quartiles. What is compared runs in turn
 * (dense, PLADIS, dense, PLADIS, …), and a ratio is the median of the ratios within a turn, which a machine
 * that slows down halfway does not spoil.
 */
#ifndef PLD_BENCH_H
#define PLD_BENCH_H

#include <pladis/pladis.h>

enum { BENCH_NAME = 128, BENCH_MOST_MODELS = 8, BENCH_MOST_ONLY = 8 };

/** What the figures were measured on. */
typedef struct bench_machine {
    char cpu[96];
    const char *isa;
    int threads;
    double peak_operations;      /**< float32 operations a second of all threads, measured; 0: not known */
    double peak_bf16_operations; /**< likewise of bfloat16 with float32 sums; 0: there is no instruction */
    double memory_bandwidth;     /**< bytes a second that all threads read, measured */
    uint64_t memory_bytes;       /**< of the machine */
} bench_machine;

typedef struct bench_result {
    char group[16];          /**< "attention" */
    char name[BENCH_NAME];   /**< "sd15 512 cross 64x64, pladis 1.5, core": unique within group and shape */
    char shape[BENCH_NAME];  /**< "8 heads of 40, 4096 queries, 77 keys" */
    char implementation[32]; /**< the name of the path that ran, or "" */
    const char *unit;        /**< of the three figures: "s", "bytes", "fraction", "tiles" */
    double median, lower, upper; /**< lower and upper quartile */
    int repeats;
    int count;         /**< times that it happens in one evaluation of its network; 0: not said */
    double operations; /**< multiplications and additions of one run; 0: not counted */
    double bytes;      /**< read and written by one run; 0: not counted */
    double ratio;      /**< to `ratio_to`, run in turn; 0: none */
    char ratio_to[32]; /**< "softmax" */
} bench_result;

/** One model to measure. */
typedef struct bench_model {
    const char *name; /**< for names of results, "demo" */
    const char *path; /**< diffusers folder */
    bool random;      /**< its weights are made up, the folder needs none */
} bench_model;

typedef struct bench_options {
    int threads;             /**< 0: the physical cores */
    const char *isa;         /**< NULL: the best */
    const char *conv;        /**< NULL: "auto"; as in pld_engine_options */
    bool low_memory;         /**< as there */
    const char *dtype;       /**< of denoisers' products, as in pld_generate_options */
    int repeats;             /**< 0: each group's own number */
    const char *const *only; /**< [only_count] only results whose name contains one of them; none: all */
    int only_count;
    const char *vocabulary; /**< as in pld_model_options; may be NULL */
    bench_model models[BENCH_MOST_MODELS];
    int model_count;
    int width, height;    /**< of pictures; 0: each model's own */
    int steps;            /**< of whole generations; 0: each model's own */
    pld_profile *profile; /**< gets the evaluations of the stages, or NULL */
    const volatile int *cancel;
    void (*show)(void *user, const bench_result *result); /**< called for each result; may be NULL */
    void *user;
} bench_options;

typedef struct bench_run bench_run;

/** Measure the machine. */
pld_status bench_create(const bench_options *options, bench_run **run, pld_error *error);
void bench_destroy(bench_run **run);

/** Have other models measured from here on: those of `options`. */
void bench_set_models(bench_run *run, const bench_options *options);

const bench_machine *bench_get_machine(const bench_run *run);
/** The machine's peak for the type in which a result was computed; 0: not known. */
double bench_peak_of(const bench_machine *machine, const bench_result *result);
const bench_result *bench_get_results(const bench_run *run, size_t *count);

/** What can be measured. */
typedef struct bench_group {
    const char *name, *description;
    pld_status (*measure)(bench_run *run, pld_error *error);
    bool needs_models;
} bench_group;

extern const bench_group bench_groups[];
extern const int bench_group_count;

/** The revision that was built, "40e68ad" or "40e68ad-dirty"; "unknown" outside git. */
const char *bench_commit(void);

#endif
