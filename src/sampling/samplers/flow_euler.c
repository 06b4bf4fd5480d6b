/* SPDX-License-Identifier: Apache-2.0 */
/* Flow matching, x = (1 − σ)·x0 + σ·ε: Euler's method on the flow, and its stochastic form, which goes to x0
 * and back up to the next level with new noise, as consistency models do. */
#include "sampling/sampler_internal.h"
#include "sampling/samplers/kinds.h"

enum { NOISE }; /* buffers */

void pld_flow_defaults(pld_scheduler_config *config) {
    pld_scheduler_defaults(config);
    config->prediction_type = PLD_PREDICT_FLOW;
}

/** What means nothing together: the stochastic step reads σ as the share of noise. */
static pld_status check(const pld_sampler *sampler, pld_error *error) {
    const pld_scheduler_config *config = &sampler->config;
    if (config->invert_sigmas && config->stochastic_sampling) {
        return pld_sampler_refuse(sampler, PLD_FIELD_INVERT_SIGMAS, error);
    }
    return config->scale_factors ? pld_sampler_refuse(sampler, PLD_FIELD_SCALE_FACTORS, error) : PLD_OK;
}

static void step_along(const pld_sampler *sampler, const pld_step *s) {
    float distance = sampler->schedule.sigmas[s->call + 1] - sampler->schedule.sigmas[s->call];
    for (size_t i = 0; i < s->count; i++) {
        s->next[i] = s->sample[i] + distance * s->noise_pred[i];
    }
}

/** The noise is drawn in the last step too, where nothing of it is used. */
static void step_renewed(pld_sampler *sampler, const pld_step *s) {
    float from = sampler->schedule.sigmas[s->call];
    float to = sampler->schedule.sigmas[s->call + 1];
    float *noise = sampler->buffers[NOISE];
    pld_rng_normal(s->rng, noise, s->count);
    for (size_t i = 0; i < s->count; i++) {
        float x0 = s->sample[i] - from * s->noise_pred[i];
        s->next[i] = (1 - to) * x0 + to * noise[i];
    }
}

static void step(pld_sampler *sampler, const pld_step *s) {
    if (sampler->config.stochastic_sampling) {
        step_renewed(sampler, s);
    } else {
        step_along(sampler, s);
    }
}

static void set_stochastic(pld_scheduler_config *config) {
    config->stochastic_sampling = true;
}

static const pld_sampler_operations operations = {
    .buffers = 1, .check = check, .prepare = pld_prepare_flow, .space = &pld_space_flow, .step = step};

const pld_sampler_kind pld_sampler_flow_euler = {
    .name = "euler",
    .description = "first order, deterministic",
    .class_name = "FlowMatchEulerDiscreteScheduler",
    .set_defaults = pld_flow_defaults,
    .fields = PLD_FIELDS_FLOW | PLD_FIELD_BIT(STOCHASTIC_SAMPLING),
    .uses_noise = true,
    .accepts_timesteps = true,
    .accepts_sigmas = true,
    .is_flow = true,
    .operations = &operations,
};

const pld_sampler_kind pld_sampler_flow_lcm = {
    .name = "lcm",
    .description = "for consistency models; few steps",
    .class_name = "FlowMatchLCMScheduler",
    .set_defaults = pld_flow_defaults,
    .set_fixed = set_stochastic,
    .fields = PLD_FIELDS_FLOW | PLD_FIELD_BIT(SCALE_FACTORS),
    .uses_noise = true,
    .accepts_timesteps = true,
    .accepts_sigmas = true,
    .is_flow = true,
    .operations = &operations,
};
