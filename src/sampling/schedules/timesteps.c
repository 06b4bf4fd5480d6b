/* SPDX-License-Identifier: Apache-2.0 */
/* Timesteps of a schedule: room for them, where they come from, and whether they can be used. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "sampling/sampler_internal.h"

pld_status pld_schedule_reserve_calls(pld_schedule *schedule, size_t capacity, pld_error *error) {
    schedule->timesteps = pld_allocate(capacity, sizeof(double));
    return schedule->timesteps ? PLD_OK : pld_fail_memory(error, capacity * sizeof(double), "timesteps");
}

pld_status pld_schedule_reserve_sigmas(pld_schedule *schedule, size_t count, pld_error *error) {
    schedule->sigmas = pld_allocate(count, sizeof(float));
    schedule->sigmas_count = schedule->sigmas ? count : 0;
    return schedule->sigmas ? PLD_OK : pld_fail_memory(error, count * sizeof(float), "noise levels");
}

pld_status pld_place_timesteps(pld_sampler *sampler, const pld_sampling_options *options, bool skip_zero,
                               size_t last_timestep, size_t extra, pld_error *error) {
    pld_schedule *schedule = &sampler->schedule;
    PLD_TRY(pld_schedule_reserve_calls(schedule, pld_schedule_capacity(sampler) + extra, error));
    if (options->timesteps) {
        memcpy(schedule->timesteps, options->timesteps, schedule->steps * sizeof(double));
        schedule->calls = schedule->steps;
        return PLD_OK;
    }
    const pld_spacing_request request = {.steps = schedule->steps,
                                         .train_timesteps = schedule->train_timesteps,
                                         .last_timestep = last_timestep,
                                         .skip_zero = skip_zero,
                                         .offset = sampler->config.steps_offset};
    schedule->calls = sampler->spacing->place(&request, schedule->timesteps);
    if (schedule->calls == 0) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "%zu steps: spacing '%s' cannot place that many in %zu timesteps; use fewer steps or "
                        "another spacing",
                        schedule->steps, sampler->spacing->name, last_timestep);
    }
    return PLD_OK;
}

bool pld_has_sigma_schedule(const pld_sampler *sampler) {
    return sampler->sigma_schedule->place || sampler->sigma_schedule->pick;
}

size_t pld_training_level_count(const pld_sampler *sampler) {
    bool own = sampler->space == &pld_space_flow && sampler->flow_rule && sampler->flow_rule->training_levels;
    return own ? sampler->flow_rule->training_levels : sampler->schedule.train_timesteps;
}

size_t pld_schedule_capacity(const pld_sampler *sampler) {
    size_t levels = pld_training_level_count(sampler);
    size_t steps = sampler->schedule.steps;
    return sampler->sigma_schedule->pick && levels > steps ? levels : steps;
}

pld_status pld_apply_sigma_schedule(pld_sampler *sampler, const pld_training_levels *levels, double sigma_min,
                                    double sigma_max, double *sigmas, pld_error *error) {
    const pld_scheduler_config *config = &sampler->config;
    pld_schedule *schedule = &sampler->schedule;
    if (sampler->sigma_schedule->pick) {
        schedule->calls = sampler->sigma_schedule->pick(levels, schedule->steps, sigmas);
        if (schedule->calls == 0) {
            return pld_fail(
                error, PLD_ERROR_ARGUMENT,
                "scheduler '%s' finds no noise levels for %zu steps among %zu; use another scheduler",
                sampler->sigma_schedule->name, schedule->steps, levels->count);
        }
        return PLD_OK;
    }
    double low = isnan(config->sigma_min) ? sigma_min : config->sigma_min;
    double high = isnan(config->sigma_max) ? sigma_max : config->sigma_max;
    if (!(low > 0 && low <= high)) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: noise levels from %g (sigma_max) to %g (sigma_min): expected descending noise "
                        "levels above zero",
                        config->file, high, low);
    }
    schedule->calls = schedule->steps;
    sampler->sigma_schedule->place(low, high, schedule->calls, sigmas);
    return PLD_OK;
}

void pld_round_timesteps(pld_schedule *schedule) {
    for (size_t i = 0; i < schedule->calls; i++) {
        schedule->timesteps[i] = rint(schedule->timesteps[i]);
    }
}

void pld_truncate_timesteps(pld_schedule *schedule) {
    for (size_t i = 0; i < schedule->calls; i++) {
        schedule->timesteps[i] = trunc(schedule->timesteps[i]);
    }
}

pld_status pld_check_timesteps(const pld_sampler *sampler, pld_error *error) {
    const pld_schedule *schedule = &sampler->schedule;
    for (size_t i = 0; i < schedule->calls; i++) {
        double timestep = schedule->timesteps[i];
        if (!(timestep >= 0 && timestep < (double)schedule->train_timesteps)) {
            return pld_fail(error, PLD_ERROR_ARGUMENT,
                            "%zu steps: timestep %g lies outside 0…%zu; use fewer steps or another spacing",
                            schedule->steps, timestep, schedule->train_timesteps - 1);
        }
        float alpha = schedule->alphas_cumprod[(size_t)timestep];
        if ((alpha == 0 && sampler->config.prediction_type == PLD_PREDICT_EPSILON) ||
            (alpha == 1 && sampler->config.prediction_type == PLD_PREDICT_SAMPLE)) {
            return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                            "%s: at timestep %g the share of signal is %g, where this kind of prediction "
                            "says nothing about the sample; zero terminal SNR needs v_prediction",
                            sampler->config.file, timestep, (double)alpha);
        }
    }
    return PLD_OK;
}

float pld_alpha_cumprod_at(const pld_sampler *sampler, int64_t timestep) {
    return timestep < 0 ? sampler->final_alpha_cumprod : sampler->schedule.alphas_cumprod[timestep];
}
