/* SPDX-License-Identifier: Apache-2.0 */
/* Euler's method on the probability flow: Karras et al. 2022 (arXiv 2206.00364), algorithm 1 without its
 * second order. */
#include <math.h>

#include "sampling/float_math.h"
#include "sampling/prediction.h"
#include "sampling/sampler_internal.h"
#include "sampling/samplers/kinds.h"

/** Whether the network is told log(σ)/4 in place of a timestep. */
static bool is_continuous(const pld_scheduler_config *config) {
    return config->timestep_type == PLD_TIMESTEP_CONTINUOUS && config->prediction_type == PLD_PREDICT_V;
}

static pld_status prepare(pld_sampler *sampler, const pld_sampling_options *options, pld_error *error) {
    pld_schedule *schedule = &sampler->schedule;
    bool continuous = is_continuous(&sampler->config);
    if (continuous && options->timesteps) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "a list of timesteps cannot be given, because %s states timestep_type continuous",
                        sampler->config.file);
    }
    PLD_TRY(pld_prepare_sigma_space(sampler, options, error));
    for (size_t i = 0; continuous && i < schedule->calls; i++) {
        schedule->timesteps[i] = (double)(0.25f * pld_log_float(schedule->sigmas[i]));
    }
    return PLD_OK;
}

static void step(pld_sampler *sampler, const pld_step *s) {
    float sigma = sampler->schedule.sigmas[s->call];
    float distance = sampler->schedule.sigmas[s->call + 1] - sigma;
    for (size_t i = 0; i < s->count; i++) {
        float x = s->sample[i];
        float x0 = pld_x0_exploding(sampler->config.prediction_type, s->noise_pred[i], x, sigma);
        if (s->renoise == s->noise_pred) {
            s->next[i] = x + (x - x0) / sigma * distance;
        } else { /* CFG++: x0 + σ'·ε_u, eq. 13 of arXiv 2406.08070 in this parametrisation */
            float other = pld_x0_exploding(sampler->config.prediction_type, s->renoise[i], x, sigma);
            s->next[i] = x0 + (x - other) / sigma * (sigma + distance);
        }
    }
}

static const pld_sampler_operations operations = {
    .prepare = prepare, .space = &pld_space_exploding, .step = step};

const pld_sampler_kind pld_sampler_euler = {
    .name = "euler",
    .description = "first order, deterministic; flow models too",
    .class_name = "EulerDiscreteScheduler",
    .set_defaults = pld_scheduler_defaults,
    .fields = PLD_FIELDS_BETAS | PLD_FIELDS_SPACING | PLD_FIELDS_SIGMA_SCHEDULE | PLD_FIELDS_SIGMA_RANGE |
              PLD_FIELD_BIT(INTERPOLATION_TYPE) | PLD_FIELD_BIT(TIMESTEP_TYPE) |
              PLD_FIELD_BIT(RESCALE_BETAS_ZERO_SNR) | PLD_FIELD_BIT(FINAL_SIGMAS_TYPE),
    .accepts_timesteps = true,
    .renoises = true,
    .flow = &pld_sampler_flow_euler,
    .operations = &operations,
};
