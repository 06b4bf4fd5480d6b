/* SPDX-License-Identifier: Apache-2.0 */
/* Whole generations, from opening the model to the picture. */
#include <math.h>
#include <stdio.h>

#include "bench/generation.h"
#include "core/clock.h"
#include "core/memory.h"

enum { GENERATE_REPEATS = 3 };

/** Times of whole generations. */
typedef struct generate_samples {
    bench_samples first, first_step, again; /* from opening; to the first step; with all at hand */
    pld_report report;
    uint64_t peak;
} generate_samples;

/** Open everything anew, draw a picture, and draw it again. */
static pld_status sample_generation(bench_run *run, const bench_model *row, generate_samples *s,
                                    pld_error *error) {
    pld_model *model = NULL;
    pld_session *session = NULL;
    const bench_generation request = {NAN, NAN, run->options.steps, true};
    bench_watch watch = {.stage = -1, .began = pld_seconds()};
    const bool can_reset = bench_reset_peak_memory();
    pld_status status = bench_open_model(run, row, &model, &session, error);
    if (status == PLD_OK) {
        status = bench_draw(run, session, &request, &watch, NULL, &s->report, error);
    }
    if (status == PLD_OK) {
        bench_add_sample(&s->first, pld_seconds() - watch.began);
        bench_add_sample(&s->first_step, watch.first_step);
        const uint64_t peak = can_reset ? bench_peak_memory() : 0;
        s->peak = peak > s->peak ? peak : s->peak;
        const double begin = pld_seconds();
        status = bench_draw(run, session, &request, &watch, NULL, &s->report, error);
        bench_add_sample(&s->again, pld_seconds() - begin);
    }
    pld_session_destroy(&session);
    pld_model_destroy(&model);
    return status;
}

static pld_status measure_generation(bench_run *run, const bench_model *row, pld_error *error) {
    const int repeats = run->options.repeats ? run->options.repeats : GENERATE_REPEATS;
    generate_samples *s = pld_allocate(1, sizeof *s);
    pld_status status = s ? PLD_OK : pld_fail_memory(error, sizeof *s, "bench");
    for (int i = 0; status == PLD_OK && i < repeats; i++) {
        status = sample_generation(run, row, s, error);
    }
    if (status == PLD_OK) {
        char shape[64];
        snprintf(shape, sizeof shape, "%d x %d, %d steps", s->report.width, s->report.height,
                 s->report.steps);
        status =
            bench_add_seconds(run, row, "generate", "open to picture", shape, &s->first, 0, NULL, "", error);
        if (status == PLD_OK) {
            status = bench_add_seconds(run, row, "generate", "open to first step", shape, &s->first_step, 0,
                                       NULL, "", error);
        }
        if (status == PLD_OK) {
            status =
                bench_add_seconds(run, row, "generate", "next picture", shape, &s->again, 0, NULL, "", error);
        }
        if (status == PLD_OK) {
            status = bench_add_memory(run, row, "generate", "open to picture", shape, s->peak, error);
        }
    }
    pld_free(s);
    return status;
}

pld_status bench_generate(bench_run *run, pld_error *error) {
    pld_status status = PLD_OK;
    for (int i = 0; status == PLD_OK && i < run->options.model_count; i++) {
        status = measure_generation(run, &run->options.models[i], error);
    }
    return status;
}
