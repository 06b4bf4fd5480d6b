/* SPDX-License-Identifier: Apache-2.0 */
/* Timesteps and noise levels of the multistep solvers, DPM-Solver++ and UniPC. */
#include <math.h>

#include "core/memory.h"
#include "sampling/float_math.h"
#include "sampling/sampler_internal.h"

pld_level pld_level_of_sigma(const pld_sampler *sampler, float sigma) {
    bool flow = sampler->space == &pld_space_flow;
    float alpha = flow ? 1 - sigma : 1 / sqrtf(sigma * sigma + 1);
    float scaled = flow ? sigma : sigma * alpha;
    return (pld_level){alpha, scaled, pld_log_float(alpha) - pld_log_float(scaled)};
}

/** Replace sigmas[steps] and the timesteps by a sigma schedule over the whole training range. */
static pld_status apply_sigma_schedule(pld_sampler *sampler, const pld_sigma_table *table, double *sigmas,
                                       pld_error *error) {
    double low = (double)table->sigmas[0];
    double high = (double)table->sigmas[table->count - 1];
    const pld_training_levels levels = {
        .count = table->count, .sigmas = table->sigmas, .log_sigmas = table->log_sigmas};
    PLD_TRY(pld_apply_sigma_schedule(sampler, &levels, low, high, sigmas, error));
    for (size_t i = 0; i < sampler->schedule.calls; i++) {
        sampler->schedule.timesteps[i] = pld_timestep_of_sigma(table, sigmas[i]);
    }
    if (sampler->sigma_schedule->pick) { /* the network is told the nearest level */
        pld_round_timesteps(&sampler->schedule);
    }
    return PLD_OK;
}

static pld_status place_sigmas(pld_sampler *sampler, const pld_sigma_table *table, double *sigmas,
                               pld_error *error) {
    pld_schedule *schedule = &sampler->schedule;
    if (pld_has_sigma_schedule(sampler)) {
        PLD_TRY(apply_sigma_schedule(sampler, table, sigmas, error));
    } else {
        for (size_t i = 0; i < schedule->calls; i++) {
            sigmas[i] = pld_sigma_of_timestep(table, schedule->timesteps[i]);
        }
    }
    PLD_TRY(pld_schedule_reserve_sigmas(schedule, schedule->calls + 1, error));
    for (size_t i = 0; i < schedule->calls; i++) {
        schedule->sigmas[i] = (float)sigmas[i];
    }
    schedule->sigmas[schedule->calls] =
        sampler->config.final_sigmas_type == PLD_FINAL_SIGMA_MIN ? table->sigmas[0] : 0;
    return PLD_OK;
}

pld_status pld_prepare_multistep(pld_sampler *sampler, const pld_sampling_options *options,
                                 size_t last_timestep, const pld_sigma_table *table, pld_error *error) {
    pld_schedule *schedule = &sampler->schedule;
    PLD_TRY(pld_place_timesteps(sampler, options, true, last_timestep, 0, error));
    pld_round_timesteps(schedule);
    size_t capacity = pld_schedule_capacity(sampler);
    double *sigmas = pld_allocate(capacity, sizeof(double));
    if (!sigmas) {
        return pld_fail_memory(error, capacity * sizeof(double), "noise levels");
    }
    pld_status status = place_sigmas(sampler, table, sigmas, error);
    pld_free(sigmas);
    return status;
}
