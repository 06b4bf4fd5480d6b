/* SPDX-License-Identifier: Apache-2.0 */
/* Timesteps and noise levels of the samplers that work on x = x0 + σ·ε: Euler and Heun. */
#include <math.h>

#include "core/memory.h"
#include "sampling/float_math.h"
#include "sampling/sampler_internal.h"

/** Noise levels of the visited timesteps: sigmas[calls], or calls + 1 of them under log-linear interpolation
 *  (where diffusers has one more and never reaches zero). Returns how many. */
static size_t interpolate_sigmas(const pld_sampler *sampler, const pld_sigma_table *table, double *sigmas) {
    const pld_schedule *schedule = &sampler->schedule;
    if (sampler->config.interpolation_type == PLD_INTERPOLATE_LINEAR) {
        for (size_t i = 0; i < schedule->calls; i++) {
            sigmas[i] = pld_sigma_of_timestep(table, schedule->timesteps[i]);
        }
        return schedule->calls;
    }
    size_t count = schedule->calls + 1;
    for (size_t i = 0; i < count; i++) {
        float first = table->log_sigmas[table->count - 1];
        sigmas[i] = (double)pld_exp_float(pld_linspace_float_at(first, table->log_sigmas[0], count, i));
    }
    return count;
}

/** Replace sigmas[*count] by a sigma schedule over the same range, and the timesteps by those
 * of its levels. */
static pld_status apply_sigma_schedule(pld_sampler *sampler, const pld_sigma_table *table, double *sigmas,
                                       size_t *count, pld_error *error) {
    pld_schedule *schedule = &sampler->schedule;
    const pld_training_levels levels = {
        .count = table->count, .sigmas = table->sigmas, .log_sigmas = table->log_sigmas};
    PLD_TRY(pld_apply_sigma_schedule(sampler, &levels, sigmas[*count - 1], sigmas[0], sigmas, error));
    *count = schedule->calls;
    for (size_t i = 0; i < *count; i++) {
        schedule->timesteps[i] = (double)(float)pld_timestep_of_sigma(table, sigmas[i]);
    }
    if (sampler->sigma_schedule->pick) { /* the network is told the nearest level */
        pld_round_timesteps(schedule);
    }
    return PLD_OK;
}

/** Copy sigmas[count] and the final one into the schedule; the largest decides the first noise. */
static pld_status store_sigmas(pld_sampler *sampler, const pld_sigma_table *table, const double *sigmas,
                               size_t count, pld_error *error) {
    pld_schedule *schedule = &sampler->schedule;
    PLD_TRY(pld_schedule_reserve_sigmas(schedule, count + 1, error));
    float largest = 0;
    for (size_t i = 0; i < count; i++) {
        schedule->sigmas[i] = (float)sigmas[i];
        largest = fmaxf(largest, schedule->sigmas[i]);
    }
    bool keep_noise = sampler->config.final_sigmas_type == PLD_FINAL_SIGMA_MIN;
    schedule->sigmas[count] = keep_noise ? table->sigmas[0] : 0;
    bool leading = sampler->config.timestep_spacing == PLD_SPACING_LEADING;
    schedule->init_noise_sigma = leading ? sqrtf(largest * largest + 1) : largest;
    return PLD_OK;
}

static pld_status place_sigmas(pld_sampler *sampler, const pld_sigma_table *table, pld_error *error) {
    size_t capacity = pld_schedule_capacity(sampler) + 1;
    double *sigmas = pld_allocate(capacity, sizeof(double));
    if (!sigmas) {
        return pld_fail_memory(error, capacity * sizeof(double), "noise levels");
    }
    size_t count = interpolate_sigmas(sampler, table, sigmas);
    pld_status status = PLD_OK;
    if (pld_has_sigma_schedule(sampler)) {
        status = apply_sigma_schedule(sampler, table, sigmas, &count, error);
    }
    if (status == PLD_OK) {
        status = store_sigmas(sampler, table, sigmas, count, error);
    }
    pld_free(sigmas);
    return status;
}

pld_status pld_prepare_sigma_space(pld_sampler *sampler, const pld_sampling_options *options,
                                   pld_error *error) {
    pld_schedule *schedule = &sampler->schedule;
    PLD_TRY(pld_place_timesteps(sampler, options, false, schedule->train_timesteps, 0, error));
    for (size_t i = 0; i < schedule->calls; i++) {
        schedule->timesteps[i] = (double)(float)schedule->timesteps[i];
    }
    pld_sigma_table table;
    PLD_TRY(pld_sigma_table_create(&sampler->config, schedule->alphas_cumprod, schedule->train_timesteps,
                                   &table, error));
    pld_status status = place_sigmas(sampler, &table, error);
    pld_sigma_table_clear(&table);
    return status;
}
