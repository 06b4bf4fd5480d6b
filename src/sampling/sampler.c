/* SPDX-License-Identifier: Apache-2.0 */
/* The frame around each solver's step. */
#include "sampling/sampler.h"

#include <string.h>

#include "core/memory.h"
#include "sampling/sampler_internal.h"

const pld_sampler_kind *pld_sampler_kind_of(const pld_sampler *sampler) {
    return sampler->kind;
}

const pld_schedule *pld_sampler_schedule(const pld_sampler *sampler) {
    return &sampler->schedule;
}

const pld_scheduler_config *pld_sampler_config(const pld_sampler *sampler) {
    return &sampler->config;
}

const pld_sigma_schedule *pld_sampler_sigma_schedule(const pld_sampler *sampler) {
    return sampler->sigma_schedule;
}

double pld_sampler_eta(const pld_sampler *sampler) {
    return sampler->eta;
}

size_t pld_sampler_step_of_call(const pld_sampler *sampler, size_t call) {
    const pld_sampler_operations *operations = sampler->kind->operations;
    const size_t step = operations->step_of_call ? operations->step_of_call(sampler, call) : call;
    /* a schedule may have placed more calls than were asked for: they belong to the last step */
    return step < sampler->schedule.steps ? step : sampler->schedule.steps - 1;
}

pld_status pld_sampler_call_of_step(const pld_sampler *sampler, size_t step, size_t *call, pld_error *error) {
    const size_t order = sampler->kind->operations->calls_per_step;
    *call = step * (order ? order : 1);
    if (step > 0 && sampler->kind->operations->begins_at_noise &&
        sampler->kind->operations->begins_at_noise(sampler)) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "sampler '%s' cannot start at step %zu as it is configured (%s); use another "
                        "sampler, such as ddim or euler, or a strength of 1",
                        sampler->kind->name, step, sampler->config.file);
    }
    return PLD_OK;
}

pld_sample_level pld_sampler_level(const pld_sampler *sampler, size_t call) {
    return sampler->space->level(sampler, call);
}

void pld_sampler_add_noise(const pld_sampler *sampler, size_t call, const float *clean, const float *noise,
                           float *noisy, size_t count) {
    const pld_sample_level level = pld_sampler_level(sampler, call);
    for (size_t i = 0; i < count; i++) {
        noisy[i] = level.alpha * clean[i] + level.sigma * noise[i];
    }
}

void pld_sampler_predict_x0(const pld_sampler *sampler, size_t call, const float *noise_pred,
                            const float *sample, float *x0, size_t count) {
    const pld_sample_level level = pld_sampler_level(sampler, call);
    for (size_t i = 0; i < count; i++) {
        x0[i] = sampler->space->x0(sampler, level, noise_pred[i], sample[i]);
    }
}

pld_status pld_sampler_begin(pld_sampler *sampler, size_t first_call, size_t count, pld_error *error) {
    size_t buffers = sampler->kind->operations->buffers;
    if (first_call >= sampler->schedule.calls || count == 0) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "a run from call %zu of %zu over %zu numbers", first_call,
                        sampler->schedule.calls, count);
    }
    if (count != sampler->count) {
        size_t total = 0;
        pld_free(sampler->memory);
        sampler->memory =
            pld_multiply(buffers, count, &total) ? pld_allocate_aligned(total, sizeof(float)) : NULL;
        sampler->count = sampler->memory ? count : 0;
        if (!sampler->memory) {
            return pld_fail_memory(error, total * sizeof(float), "the sampler's history");
        }
    }
    for (size_t i = 0; i < buffers; i++) {
        sampler->buffers[i] = sampler->memory + i * count;
    }
    memset(sampler->state, 0, sizeof sampler->state);
    sampler->first_call = first_call;
    sampler->next_call = first_call;
    sampler->finished_calls = 0;
    return PLD_OK;
}

void pld_sampler_scale_model_input(const pld_sampler *sampler, size_t call, const float *sample, float *input,
                                   size_t count) {
    if (sampler->space->scale_input) {
        sampler->space->scale_input(sampler, call, sample, input, count);
    } else {
        memmove(input, sample, count * sizeof *input);
    }
}

bool pld_sampler_is_flow(const pld_sampler *sampler) {
    return sampler->space == &pld_space_flow || sampler->space == &pld_space_trigflow;
}

double pld_sampler_network_timestep(const pld_sampler *sampler, size_t call) {
    return sampler->space->network_timestep ? sampler->space->network_timestep(sampler, call)
                                            : sampler->schedule.timesteps[call];
}

void pld_sampler_convert_output(const pld_sampler *sampler, size_t call, const float *input,
                                const float *output, float *noise_pred, size_t count) {
    if (sampler->space->convert) {
        sampler->space->convert(sampler, call, input, output, noise_pred, count);
    } else {
        memmove(noise_pred, output, count * sizeof *noise_pred);
    }
}

void pld_sampler_finish(const pld_sampler *sampler, const float *sample, float *latents, size_t count) {
    for (size_t i = 0; i < count; i++) {
        latents[i] = sample[i] / sampler->data_scale;
    }
}

pld_status pld_sampler_step(pld_sampler *sampler, size_t call, const float *noise_pred, const float *sample,
                            pld_rng *rng, float *next, pld_error *error) {
    return pld_sampler_step_renoising(sampler, call, noise_pred, NULL, sample, rng, next, error);
}

pld_status pld_sampler_step_renoising(pld_sampler *sampler, size_t call, const float *noise_pred,
                                      const float *renoise, const float *sample, pld_rng *rng, float *next,
                                      pld_error *error) {
    if (renoise && !sampler->kind->renoises) {
        return pld_fail(error, PLD_ERROR_INTERNAL, "sampler '%s' takes one prediction", sampler->kind->name);
    }
    if (!sampler->count || call != sampler->next_call || call >= sampler->schedule.calls) {
        return pld_fail(error, PLD_ERROR_INTERNAL, "sampler '%s': call %zu where %zu of %zu was due",
                        sampler->kind->name, call, sampler->next_call, sampler->schedule.calls);
    }
    const pld_step step = {call, noise_pred,    renoise ? renoise : noise_pred, sample, rng,
                           next, sampler->count};
    sampler->kind->operations->step(sampler, &step);
    sampler->next_call++;
    sampler->finished_calls++;
    return PLD_OK;
}

void pld_sampler_rotate(pld_sampler *sampler, size_t first, size_t last) {
    float *oldest = sampler->buffers[first];
    for (size_t i = first; i < last; i++) {
        sampler->buffers[i] = sampler->buffers[i + 1];
    }
    sampler->buffers[last] = oldest;
}
