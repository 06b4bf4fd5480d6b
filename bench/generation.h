/* SPDX-License-Identifier: Apache-2.0 */
/** One measured generation, through the public interface. */
#ifndef PLD_BENCH_GENERATION_H
#define PLD_BENCH_GENERATION_H

#include "bench/measure.h"

enum { BENCH_STAGES = 4 };
extern const char *const bench_stage_names[BENCH_STAGES]; /**< "text", "load", "denoise", "decode" */

/** What is watched while a generation runs; zero it, with stage -1. */
typedef struct bench_watch {
    int stage;                    /**< that runs; -1 before the first */
    uint64_t peaks[BENCH_STAGES]; /**< high-water marks of the stages the first time, when weights come in one
                                     by one; later all of them are there */
    bool can_reset;               /**< bench_reset_peak_memory works */
    int drawn; /**< generations so far; each has a prompt of its own, since a session keeps the
                  states of its last ones */
    bool stop_before_decode;
    double began, first_step; /**< seconds, until the first evaluation of the denoiser; 0: not there yet */
} bench_watch;

typedef struct bench_generation {
    double cfg_scale, pladis_scale; /**< NaN: the model's */
    int steps;                      /**< 0: the model's */
    bool decode;                    /**< else it ends before */
} bench_generation;

/** Open a model of the options; on failure too both are the caller's to destroy. */
pld_status bench_open_model(bench_run *run, const bench_model *row, pld_model **model, pld_session **session,
                            pld_error *error);

/** Draw, and throw the picture away. `profile` and `report` as in pld_generate. */
pld_status bench_draw(bench_run *run, pld_session *session, const bench_generation *request,
                      bench_watch *watch, pld_profile *profile, pld_report *report, pld_error *error);

/** Add a result named "MODEL, NAME" in seconds; `base` NULL: no ratio. Samples that are missing or not wanted
 * are passed over. */
pld_status bench_add_seconds(bench_run *run, const bench_model *model, const char *group, const char *name,
                             const char *shape, const bench_samples *samples, double work,
                             const bench_samples *base, const char *base_name, pld_error *error);

/** Add "MODEL, peak memory, NAME" in bytes; 0: passed over. */
pld_status bench_add_memory(bench_run *run, const bench_model *model, const char *group, const char *name,
                            const char *shape, uint64_t bytes, pld_error *error);

#endif
