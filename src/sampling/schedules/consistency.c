/* SPDX-License-Identifier: Apache-2.0 */
/* Timesteps of the samplers for distilled models, LCM and TCD. */
#include <math.h>

#include "sampling/sampler_internal.h"

/** Pick `steps` of the `original` timesteps of distillation, evenly by index, from the noisiest down (Luo et
 *  al. 2023, arXiv 2310.04378, section 4.3). */
static void pick_timesteps(pld_schedule *schedule, size_t original) {
    size_t stride = schedule->train_timesteps / original;
    double distance = (double)original / (double)schedule->steps;
    for (size_t i = 0; i < schedule->steps; i++) {
        size_t skipped = (size_t)floor((double)i * distance);
        schedule->timesteps[i] = (double)((original - skipped) * stride - 1);
    }
    schedule->calls = schedule->steps;
}

pld_status pld_prepare_consistency(pld_sampler *sampler, const pld_sampling_options *options,
                                   pld_error *error) {
    pld_schedule *schedule = &sampler->schedule;
    size_t original = (size_t)sampler->config.original_inference_steps;
    if (original > schedule->train_timesteps) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'original_inference_steps' is %zu, more than num_train_timesteps (%zu)",
                        sampler->config.file, original, schedule->train_timesteps);
    }
    if (options->timesteps) {
        PLD_TRY(pld_place_timesteps(sampler, options, false, schedule->train_timesteps, 0, error));
        return pld_check_timesteps(sampler, error);
    }
    if (schedule->steps > original) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "%zu steps: sampler '%s' takes at most %zu, the original_inference_steps of %s",
                        schedule->steps, sampler->kind->name, original, sampler->config.file);
    }
    PLD_TRY(pld_schedule_reserve_calls(schedule, schedule->steps, error));
    pick_timesteps(schedule, original);
    return pld_check_timesteps(sampler, error);
}
