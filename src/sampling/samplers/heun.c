/* SPDX-License-Identifier: Apache-2.0 */
/* Heun's method on the probability flow: Karras et al. 2022 (arXiv 2206.00364), algorithm 1. Every step but
 * the last takes two calls: an Euler step, then the step again along the mean of both slopes. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "sampling/prediction.h"
#include "sampling/sampler_internal.h"
#include "sampling/samplers/kinds.h"

enum { SLOPE, START }; /* buffers */

static void set_defaults(pld_scheduler_config *config) {
    pld_scheduler_defaults(config);
    config->beta_start = 0.00085;
    config->beta_end = 0.012;
}

/** Double what a schedule of one call a step is: timesteps t0 t1 t1 t2 t2 …, sigmas s0 s1 s1 s2 s2 … 0. */
static pld_status double_calls(pld_sampler *sampler, pld_error *error) {
    pld_schedule *schedule = &sampler->schedule;
    size_t steps = schedule->calls;
    double *timesteps = schedule->timesteps;
    float *sigmas = schedule->sigmas;
    schedule->timesteps = NULL;
    schedule->sigmas = NULL;
    schedule->calls = 2 * steps - 1;
    pld_status status = pld_schedule_reserve_calls(schedule, schedule->calls, error);
    if (status == PLD_OK) {
        status = pld_schedule_reserve_sigmas(schedule, 2 * steps, error);
    }
    for (size_t i = 0; status == PLD_OK && i < schedule->calls; i++) {
        schedule->timesteps[i] = timesteps[(i + 1) / 2];
        schedule->sigmas[i] = sigmas[(i + 1) / 2];
    }
    pld_free(timesteps);
    pld_free(sigmas);
    return status;
}

static pld_status prepare(pld_sampler *sampler, const pld_sampling_options *options, pld_error *error) {
    PLD_TRY(pld_prepare_sigma_space(sampler, options, error));
    return double_calls(sampler, error);
}

static pld_status prepare_flow(pld_sampler *sampler, const pld_sampling_options *options, pld_error *error) {
    PLD_TRY(pld_prepare_flow(sampler, options, error));
    return double_calls(sampler, error);
}

static size_t step_of_call(const pld_sampler *sampler, size_t call) {
    (void)sampler;
    return call / 2;
}

/** Sigmas stand in pairs, so sigmas[call] is the level of the sample in both calls of a step. */
static void step(pld_sampler *sampler, const pld_step *s) {
    const pld_scheduler_config *config = &sampler->config;
    const float *sigmas = sampler->schedule.sigmas;
    bool second = sampler->finished_calls % 2 == 1;
    float level = sigmas[s->call];
    float distance = second ? level - sigmas[s->call - 1] : sigmas[s->call + 1] - level;
    float range = config->clip_sample ? (float)config->clip_sample_range : INFINITY;
    float *slopes = sampler->buffers[SLOPE];
    float *start = sampler->buffers[START];
    if (!second) {
        memcpy(start, s->sample, s->count * sizeof *start);
    }
    for (size_t i = 0; i < s->count; i++) {
        float x = s->sample[i];
        float x0 = pld_clamp(pld_x0_exploding(config->prediction_type, s->noise_pred[i], x, level), range);
        float slope = level > 0 ? (x - x0) / level : 0;
        if (second) {
            slope = (slopes[i] + slope) / 2;
        } else {
            slopes[i] = slope;
        }
        s->next[i] = start[i] + slope * distance;
    }
}

static const pld_sampler_operations operations = {.buffers = 2,
                                                  .calls_per_step = 2,
                                                  .takes_exp_betas = true,
                                                  .prepare = prepare,
                                                  .step_of_call = step_of_call,
                                                  .space = &pld_space_exploding,
                                                  .step = step};

/* FlowMatchHeunDiscreteScheduler writes the same step with the velocity: x0 = x − σ·v, slope (x − x0)/σ. */
static const pld_sampler_operations flow_operations = {.buffers = 2,
                                                       .calls_per_step = 2,
                                                       .prepare = prepare_flow,
                                                       .step_of_call = step_of_call,
                                                       .space = &pld_space_flow,
                                                       .step = step};

const pld_sampler_kind pld_sampler_heun = {
    .name = "heun",
    .description = "second order, deterministic; two calls per step, one in the last; flow models too",
    .class_name = "HeunDiscreteScheduler",
    .set_defaults = set_defaults,
    .fields = PLD_FIELDS_BETAS | PLD_FIELDS_SPACING | PLD_FIELDS_SIGMA_SCHEDULE | PLD_FIELD_BIT(CLIP_SAMPLE) |
              PLD_FIELD_BIT(CLIP_SAMPLE_RANGE),
    .accepts_timesteps = true,
    .flow = &pld_sampler_flow_heun,
    .operations = &operations,
};

/* diffusers' class knows a static shift alone; the families that shift otherwise need the rest. */
const pld_sampler_kind pld_sampler_flow_heun = {
    .name = "heun",
    .description = "second order, deterministic; two calls per step, one in the last",
    .class_name = "FlowMatchHeunDiscreteScheduler",
    .set_defaults = pld_flow_defaults,
    .fields = PLD_FIELDS_FLOW,
    .accepts_timesteps = true,
    .accepts_sigmas = true,
    .is_flow = true,
    .operations = &flow_operations,
};
