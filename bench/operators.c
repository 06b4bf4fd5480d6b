/* SPDX-License-Identifier: Apache-2.0 */
/* Each different operator of a model's networks, one at a time. */
#include "bench/lone_operator.h"
#include "pipeline/session/session.h"

static pld_status time_operator(bench_run *bench, bench_lone_operator *lone, bench_samples *samples,
                                pld_error *error) {
    const double start = bench_now(bench->threads);
    PLD_TRY(pld_plan_run(&lone->run, error));
    const int repeats = bench_repeats(bench, bench_now(bench->threads) - start, 5);
    for (int i = 0; i < repeats; i++) {
        PLD_TRY(bench_check_cancel(bench, error));
        const double begin = bench_now(bench->threads);
        PLD_TRY(pld_plan_run(&lone->run, error));
        bench_add_sample(samples, bench_now(bench->threads) - begin);
    }
    return PLD_OK;
}

static pld_status measure_network(bench_run *bench, const bench_network *network, void *user,
                                  pld_error *error) {
    (void)user;
    for (int i = 0; i < (int)network->plan->operator_count; i++) {
        const pld_operator *op = &network->plan->operators[i];
        char name[BENCH_NAME];
        bench_operator_name(network, i, name);
        const int times = op->kind == PLD_OPERATOR_TAP || !bench_wanted(bench, name)
                              ? 0
                              : bench_times_in_network(network, i);
        if (times == 0) {
            continue;
        }
        bench_lone_operator lone;
        bench_samples samples = {.count = 0};
        pld_status status = bench_isolate(bench, network, i, bench->engine->settings.conv, &lone, error);
        if (status == PLD_OK) {
            status = time_operator(bench, &lone, &samples, error);
        }
        if (status == PLD_OK) {
            bench_result result = bench_figures("operators", &samples, "s");
            bench_describe_operator(network, i, &lone, &result);
            result.count = times;
            status = bench_add(bench, &result, error);
        }
        pld_plan_free(&lone.plan);
        PLD_TRY(status);
    }
    return PLD_OK;
}

pld_status bench_operators(bench_run *run, pld_error *error) {
    const bench_visitor visitor = {measure_network, NULL};
    pld_status status = PLD_OK;
    for (int i = 0; status == PLD_OK && i < run->options.model_count; i++) {
        status = bench_visit_networks(run, &run->options.models[i], &visitor, error);
    }
    return status;
}
