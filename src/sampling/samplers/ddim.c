/* SPDX-License-Identifier: Apache-2.0 */
/* DDIM: Song et al. 2021 (arXiv 2010.02502). */
#include <math.h>

#include "sampling/prediction.h"
#include "sampling/sampler_internal.h"
#include "sampling/samplers/kinds.h"

enum { NOISE }; /* buffers */

static void set_defaults(pld_scheduler_config *config) {
    pld_scheduler_defaults(config);
    config->timestep_spacing = PLD_SPACING_LEADING;
    config->clip_sample = true;
}

static void set_trailing(pld_scheduler_config *config) {
    config->timestep_spacing = PLD_SPACING_TRAILING;
}

static pld_status prepare(pld_sampler *sampler, const pld_sampling_options *options, pld_error *error) {
    size_t train = sampler->schedule.train_timesteps;
    PLD_TRY(pld_place_timesteps(sampler, options, false, train, 0, error));
    pld_round_timesteps(&sampler->schedule);
    return pld_check_timesteps(sampler, error);
}

/** Eq. 12 with σ of eq. 16, in float as diffusers has it. The noise is drawn whenever η > 0, in the last step
 *  too. */
static void step(pld_sampler *sampler, const pld_step *s) {
    const pld_scheduler_config *config = &sampler->config;
    int64_t timestep = (int64_t)sampler->schedule.timesteps[s->call];
    int64_t stride = (int64_t)(sampler->schedule.train_timesteps / sampler->schedule.steps);
    float alpha_bar = pld_alpha_cumprod_at(sampler, timestep);
    float alpha_bar_next = pld_alpha_cumprod_at(sampler, timestep - stride);
    float variance = (1 - alpha_bar_next) / (1 - alpha_bar) * (1 - alpha_bar / alpha_bar_next);
    float deviation = (float)sampler->eta * sqrtf(variance);
    /* rounding can leave a hair below zero where all noise is renewed */
    float direction = sqrtf(fmaxf(1 - alpha_bar_next - deviation * deviation, 0));
    float a = sqrtf(alpha_bar);
    float b = sqrtf(1 - alpha_bar);
    float a_next = sqrtf(alpha_bar_next);
    float range = config->clip_sample ? (float)config->clip_sample_range : INFINITY;
    float *noise = sampler->buffers[NOISE];
    if (sampler->eta > 0) {
        pld_rng_normal(s->rng, noise, s->count);
    }
    for (size_t i = 0; i < s->count; i++) {
        float output = s->noise_pred[i];
        float x = s->sample[i];
        float x0 = pld_clamp(pld_x0_preserving(config->prediction_type, output, x, a, b), range);
        float epsilon = pld_epsilon_preserving(config->prediction_type, s->renoise[i], x, a, b);
        float next = a_next * x0 + direction * epsilon;
        s->next[i] = sampler->eta > 0 ? next + deviation * noise[i] : next;
    }
}

static const pld_sampler_operations operations = {
    .buffers = 1, .prepare = prepare, .space = &pld_space_preserving, .step = step};

#define DDIM_ROW                                                                                             \
    .class_name = "DDIMScheduler", .set_defaults = set_defaults,                                             \
    .fields = PLD_FIELDS_BETAS | PLD_FIELDS_SPACING | PLD_FIELD_BIT(CLIP_SAMPLE) |                           \
              PLD_FIELD_BIT(CLIP_SAMPLE_RANGE) | PLD_FIELD_BIT(SET_ALPHA_TO_ONE) |                           \
              PLD_FIELD_BIT(THRESHOLDING) | PLD_FIELD_BIT(RESCALE_BETAS_ZERO_SNR),                           \
    .uses_noise = true, .honours_eta = true, .renoises = true, .operations = &operations

const pld_sampler_kind pld_sampler_ddim = {
    .name = "ddim", .description = "deterministic at eta 0, ancestral at eta 1", DDIM_ROW};

const pld_sampler_kind pld_sampler_ddim_trailing = {.name = "ddim_trailing",
                                                    .description =
                                                        "ddim with trailing spacing, for few-step models",
                                                    .set_fixed = set_trailing,
                                                    DDIM_ROW};
