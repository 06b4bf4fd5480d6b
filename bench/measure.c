/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "bench/measure.h"

#include "commit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backends/executor.h"
#include "core/memory.h"
#include "core/parallel.h"

const bench_group bench_groups[] = {
    {"kernels", "row normalisers, norms, activations and conversions, each alone", bench_kernels, false},
    {"attention", "attention of real models, softmax and PLADIS in turn", bench_attention, false},
    {"operators", "each different operator of the models' networks", bench_operators, true},
    {"stages", "text encoder, denoiser evaluation, decoder; what PLADIS costs", bench_stages, true},
    {"tune", "3x3 convolutions, direct and by Winograd, for the table of paths", bench_tune, true},
    {"generate", "whole generations, from opening the model to the picture", bench_generate, true},
};
const int bench_group_count = sizeof bench_groups / sizeof bench_groups[0];

const char *bench_commit(void) {
    return PLADIS_COMMIT;
}

double bench_now(int threads) {
    struct timespec now;
    clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int bench_repeats(const bench_run *run, double seconds, int least) {
    const double fitting = 0.5 / (seconds > 1e-9 ? seconds : 1e-9);
    int repeats = fitting > 60 ? 60 : (int)fitting;
    repeats = run->options.repeats ? run->options.repeats : repeats;
    repeats = repeats < least && !run->options.repeats ? least : repeats;
    return repeats < BENCH_MOST_REPEATS ? repeats : BENCH_MOST_REPEATS;
}

void bench_add_sample(bench_samples *samples, double value) {
    if (samples->count < BENCH_MOST_REPEATS) {
        samples->values[samples->count++] = value;
    }
}

static int compare(const void *a, const void *b) {
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

double bench_quantile(const bench_samples *samples, double q) {
    bench_samples sorted = *samples;
    if (sorted.count == 0) {
        return 0;
    }
    qsort(sorted.values, (size_t)sorted.count, sizeof sorted.values[0], compare);
    const double at = q * (sorted.count - 1);
    const int below = (int)at;
    const int above = below + 1 < sorted.count ? below + 1 : below;
    return sorted.values[below] + (at - below) * (sorted.values[above] - sorted.values[below]);
}

double bench_ratio(const bench_samples *a, const bench_samples *b) {
    bench_samples ratios = {.count = 0};
    for (int i = 0; i < a->count && i < b->count; i++) {
        bench_add_sample(&ratios, a->values[i] / b->values[i]);
    }
    return bench_quantile(&ratios, 0.5);
}

bench_result bench_figures(const char *group, const bench_samples *samples, const char *unit) {
    bench_result result = {.unit = unit,
                           .median = bench_quantile(samples, 0.5),
                           .lower = bench_quantile(samples, 0.25),
                           .upper = bench_quantile(samples, 0.75),
                           .repeats = samples->count};
    snprintf(result.group, sizeof result.group, "%s", group);
    return result;
}

bool bench_wanted(const bench_run *run, const char *name) {
    bool wanted = run->options.only_count == 0;
    for (int i = 0; !wanted && i < run->options.only_count; i++) {
        wanted = strstr(name, run->options.only[i]) != NULL;
    }
    return wanted;
}

pld_status bench_add(bench_run *run, const bench_result *result, pld_error *error) {
    if (!pld_grow((void **)&run->results, &run->capacity, run->count + 1, sizeof *run->results)) {
        return pld_fail_memory(error, sizeof *run->results, "results");
    }
    run->results[run->count++] = *result;
    if (run->options.show) {
        run->options.show(run->options.user, result);
    }
    return bench_check_cancel(run, error);
}

pld_status bench_check_cancel(const bench_run *run, pld_error *error) {
    return run->options.cancel && *run->options.cancel ? pld_fail(error, PLD_ERROR_CANCELLED, "cancelled")
                                                       : PLD_OK;
}

float *bench_numbers(size_t count, float deviation) {
    float *x = pld_allocate_aligned(count, sizeof(float));
    uint32_t state = 1;
    for (size_t i = 0; x && i < count; i++) {
        state = state * 1664525U + 1013904223U;
        x[i] = 3.4641016F * deviation * ((float)(state >> 8) / 16777216.0F - 0.5F);
    }
    return x;
}

pld_status bench_create(const bench_options *options, bench_run **run, pld_error *error) {
    *run = NULL;
    bench_run *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return pld_fail_memory(error, sizeof *made, "bench");
    }
    made->options = *options;
    pld_engine_options engine;
    pld_engine_options_init(&engine, sizeof engine);
    engine.threads = options->threads;
    engine.isa = options->isa;
    engine.conv = options->conv;
    engine.low_memory = options->low_memory;
    pld_status status = pld_engine_create(&engine, &made->engine, error);
    if (status != PLD_OK) {
        bench_destroy(&made);
        return status;
    }
    made->threads = pld_engine_threads(made->engine);
    made->kernels = pld_kernels_get(pld_isa_from_name(pld_engine_isa(made->engine)));
    bench_read_machine(&made->machine);
    made->machine.isa = pld_engine_isa(made->engine);
    made->machine.threads = made->threads;
    made->machine.peak_operations = bench_peak(made->kernels->isa, false, made->threads);
    made->machine.peak_bf16_operations = bench_peak(made->kernels->isa, true, made->threads);
    const pld_device preference = {.prefers_bf16 = pld_isa_prefers_bf16(made->kernels->isa)};
    (void)pld_product_type_from_name(options->dtype, &preference,
                                     &made->type); /* the option has these choices */
    made->machine.memory_bandwidth = bench_bandwidth(made->threads);
    *run = made;
    return PLD_OK;
}

void bench_destroy(bench_run **run) {
    if (*run) {
        pld_engine_destroy(&(*run)->engine);
        pld_free((*run)->results);
        pld_free(*run);
        *run = NULL;
    }
}

void bench_set_models(bench_run *run, const bench_options *options) {
    memcpy(run->options.models, options->models, sizeof run->options.models);
    run->options.model_count = options->model_count;
}

const bench_machine *bench_get_machine(const bench_run *run) {
    return &run->machine;
}

double bench_peak_of(const bench_machine *machine, const bench_result *result) {
    const bool bf16 = strcmp(result->implementation, "bf16") == 0;
    return bf16 && machine->peak_bf16_operations > 0 ? machine->peak_bf16_operations
                                                     : machine->peak_operations;
}

const bench_result *bench_get_results(const bench_run *run, size_t *count) {
    *count = run->count;
    return run->results;
}
