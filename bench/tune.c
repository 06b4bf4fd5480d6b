/* SPDX-License-Identifier: Apache-2.0 */
/* What the table in backends/cpu/conv_table.c says for this machine's instruction set: each 3×3 convolution
 * of stride 1 of a model's networks, direct and by Winograd in turn, and the number of tiles from which on
 * Winograd is the faster one. */
#include <stdio.h>
#include <string.h>

#include "backends/cpu/product.h"
#include "bench/lone_operator.h"
#include "pipeline/session/session.h"

enum { WAYS = 2, LEAST_TURNS = 7, MOST_ROWS = 256 };

static const struct {
    const char *name;
    pld_conv_choice conv;
} ways[WAYS] = {{"direct", PLD_CONV_DIRECT}, {"winograd", PLD_CONV_WINOGRAD}};

/** What was found of each convolution: its tiles, and Winograd's time by the other's. */
typedef struct tune_findings {
    struct {
        double tiles, ratio;
    } rows[MOST_ROWS];
    int count;
} tune_findings;

static bool has_choice(const bench_run *bench, const bench_network *network, const pld_operator *op) {
    const pld_product_settings settings = bench_network_settings(bench, network->plan);
    return op->kind == PLD_OPERATOR_CONV && op->product.problem.kernel == 3 &&
           op->product.problem.stride == 1 && pld_product_takes_bf16(&settings, op) == settings.bf16 &&
           pld_product_takes_int8(&settings, op) == settings.int8;
}

/** Both ways in turn. */
static pld_status time_ways(const bench_run *bench, bench_lone_operator *lone, bench_samples *samples,
                            pld_error *error) {
    const double start = bench_now(bench->threads);
    for (int way = 0; way < WAYS; way++) {
        PLD_TRY(pld_plan_run(&lone[way].run, error));
    }
    const int turns = bench_repeats(bench, bench_now(bench->threads) - start, LEAST_TURNS);
    for (int turn = 0; turn < turns; turn++) {
        for (int way = 0; way < WAYS; way++) {
            PLD_TRY(bench_check_cancel(bench, error));
            const double begin = bench_now(bench->threads);
            PLD_TRY(pld_plan_run(&lone[way].run, error));
            bench_add_sample(&samples[way], bench_now(bench->threads) - begin);
        }
    }
    return PLD_OK;
}

static pld_status add_ways(bench_run *bench, const bench_network *network, int index,
                           const bench_lone_operator *lone, const bench_samples *samples, pld_error *error) {
    for (int way = 0; way < WAYS; way++) {
        bench_result result = bench_figures("tune", &samples[way], "s");
        bench_describe_operator(network, index, &lone[way], &result);
        const size_t length = strlen(result.name);
        snprintf(result.name + length, sizeof result.name - length, ", %s", ways[way].name);
        if (way > 0) {
            result.ratio = bench_ratio(&samples[way], &samples[0]);
            snprintf(result.ratio_to, sizeof result.ratio_to, "%s", ways[0].name);
        }
        PLD_TRY(bench_add(bench, &result, error));
    }
    return PLD_OK;
}

static pld_status tune_operator(bench_run *bench, const bench_network *network, int index,
                                tune_findings *found, pld_error *error) {
    bench_lone_operator lone[WAYS] = {0};
    static bench_samples samples[WAYS];
    pld_status status = PLD_OK;
    for (int way = 0; status == PLD_OK && way < WAYS; way++) {
        samples[way].count = 0;
        status = bench_isolate(bench, network, index, ways[way].conv, &lone[way], error);
    }
    if (status == PLD_OK) {
        status = time_ways(bench, lone, samples, error);
    }
    if (status == PLD_OK) {
        status = add_ways(bench, network, index, lone, samples, error);
    }
    if (status == PLD_OK && found->count < MOST_ROWS) {
        const pld_product_problem *p = &network->plan->operators[index].product.problem;
        found->rows[found->count].tiles = (double)pld_winograd_tiles(p->height, p->width);
        found->rows[found->count++].ratio = bench_ratio(&samples[1], &samples[0]);
    }
    for (int way = 0; way < WAYS; way++) {
        pld_plan_free(&lone[way].plan);
    }
    return status;
}

static pld_status tune_network(bench_run *bench, const bench_network *network, void *user, pld_error *error) {
    for (int i = 0; i < (int)network->plan->operator_count; i++) {
        char name[BENCH_NAME];
        bench_operator_name(network, i, name);
        if (has_choice(bench, network, &network->plan->operators[i]) && bench_wanted(bench, name) &&
            bench_times_in_network(network, i) > 0) {
            PLD_TRY(tune_operator(bench, network, i, user, error));
        }
    }
    return PLD_OK;
}

/** The fewest tiles such that Winograd is faster in the geometric middle of all convolutions with as many:
 * one shape that a disturbance spoilt does not decide. 0: none. */
static double fewest_tiles(const tune_findings *found) {
    double fewest = 0, last = 1e300;
    for (;;) { /* from the most tiles down */
        double tiles = 0, product = 1;
        int count = 0;
        for (int i = 0; i < found->count; i++) {
            tiles =
                found->rows[i].tiles < last && found->rows[i].tiles > tiles ? found->rows[i].tiles : tiles;
        }
        for (int i = 0; i < found->count; i++) {
            product *= found->rows[i].tiles == tiles ? found->rows[i].ratio : 1;
            count += found->rows[i].tiles == tiles;
        }
        if (count == 0 || product >= 1) {
            return fewest;
        }
        fewest = last = tiles;
    }
}

pld_status bench_tune(bench_run *run, pld_error *error) {
    tune_findings found = {.count = 0};
    const bench_visitor visitor = {tune_network, &found};
    for (int i = 0; i < run->options.model_count; i++) {
        PLD_TRY(bench_visit_networks(run, &run->options.models[i], &visitor, error));
    }
    if (found.count == 0) {
        return PLD_OK;
    }
    bench_samples fewest = {.count = 0};
    bench_add_sample(&fewest, fewest_tiles(&found));
    bench_result result = bench_figures("tune", &fewest, "tiles");
    snprintf(result.name, sizeof result.name, "%s, %s: winograd from", run->machine.isa,
             pld_product_type_name(run->type));
    return bench_add(run, &result, error);
}
