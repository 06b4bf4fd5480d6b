/* SPDX-License-Identifier: Apache-2.0 */
/* Trajectory consistency distillation's strategic stochastic sampling: Zheng et al. 2024 (arXiv 2402.19159),
 * algorithm 4. */
#include <math.h>

#include "sampling/prediction.h"
#include "sampling/sampler_internal.h"
#include "sampling/samplers/kinds.h"

enum { NOISE }; /* buffers */

static void set_defaults(pld_scheduler_config *config) {
    pld_scheduler_defaults(config);
    config->beta_start = 0.00085;
    config->beta_end = 0.012;
    config->beta_schedule = PLD_BETAS_SCALED_LINEAR;
}

/** Down to a timestep below the next one, by as much as η (γ in the paper) says, and noise up to the next. No
 *  noise in the last call, nor at η = 0. */
static void step(pld_sampler *sampler, const pld_step *s) {
    pld_prediction prediction = sampler->config.prediction_type;
    const pld_schedule *schedule = &sampler->schedule;
    bool last = s->call == schedule->calls - 1;
    int64_t next_timestep = last ? 0 : (int64_t)schedule->timesteps[s->call + 1];
    int64_t lower_timestep = (int64_t)floorf((float)(1 - sampler->eta) * (float)next_timestep);
    float alpha_bar = pld_alpha_cumprod_at(sampler, (int64_t)schedule->timesteps[s->call]);
    float lower_alpha_bar = pld_alpha_cumprod_at(sampler, lower_timestep);
    float ratio = pld_alpha_cumprod_at(sampler, next_timestep) / lower_alpha_bar;
    float a = sqrtf(alpha_bar);
    float b = sqrtf(1 - alpha_bar);
    float a_lower = sqrtf(lower_alpha_bar);
    float b_lower = sqrtf(1 - lower_alpha_bar);
    float keep = sqrtf(ratio);
    float renew = sqrtf(1 - ratio);
    float *noise = sampler->buffers[NOISE];
    bool noisy = sampler->eta > 0 && !last;
    if (noisy) {
        pld_rng_normal(s->rng, noise, s->count);
    }
    for (size_t i = 0; i < s->count; i++) {
        float x = s->sample[i];
        float x0 = pld_x0_preserving(prediction, s->noise_pred[i], x, a, b);
        float epsilon = pld_epsilon_preserving(prediction, s->noise_pred[i], x, a, b);
        float lower = a_lower * x0 + b_lower * epsilon;
        s->next[i] = noisy ? keep * lower + renew * noise[i] : lower;
    }
}

static const pld_sampler_operations operations = {
    .buffers = 1, .prepare = pld_prepare_consistency, .space = &pld_space_preserving, .step = step};

const pld_sampler_kind pld_sampler_tcd = {
    .name = "tcd",
    .description = "for trajectory consistency models; few steps, eta 0 to 1",
    .class_name = "TCDScheduler",
    .set_defaults = set_defaults,
    .fields =
        PLD_FIELDS_BETAS | PLD_FIELD_BIT(ORIGINAL_INFERENCE_STEPS) | PLD_FIELD_BIT(RESCALE_BETAS_ZERO_SNR),
    .uses_noise = true,
    .honours_eta = true,
    .default_eta = 0.3,
    .accepts_timesteps = true,
    .operations = &operations,
};
