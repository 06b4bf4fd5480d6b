/* SPDX-License-Identifier: Apache-2.0 */
/* Consistency sampling in TrigFlow's parametrisation, for continuous-time consistency models: Lu & Song 2024
 * (arXiv 2410.11081), as SANA-Sprint uses it (Chen et al. 2025, arXiv 2503.09641). */
#include <math.h>

#include "sampling/float_math.h"
#include "sampling/sampler_internal.h"
#include "sampling/samplers/kinds.h"

enum { NOISE }; /* buffers */

static const double MAX_TIMESTEP = 1.57080;      /* about π/2: noise alone */
static const double INTERMEDIATE_TIMESTEP = 1.3; /* the second of two steps */

static void set_defaults(pld_scheduler_config *config) {
    pld_scheduler_defaults(config);
    config->prediction_type = PLD_PREDICT_TRIGFLOW;
}

/** Angles: those given, for two steps SANA-Sprint's, else equal distances down to 0, which is left out. */
static void place_angles(pld_schedule *schedule, const pld_sampling_options *options) {
    const size_t steps = schedule->steps;
    for (size_t i = 0; i < steps; i++) {
        float angle = pld_linspace_float_at((float)MAX_TIMESTEP, 0, steps + 1, i);
        if (options->timesteps) {
            angle = (float)options->timesteps[i];
        } else if (steps == 2 && i == 1) {
            angle = (float)INTERMEDIATE_TIMESTEP;
        }
        schedule->timesteps[i] = (double)angle;
    }
}

static pld_status prepare(pld_sampler *sampler, const pld_sampling_options *options, pld_error *error) {
    pld_schedule *schedule = &sampler->schedule;
    if (sampler->config.prediction_type != PLD_PREDICT_TRIGFLOW) {
        return pld_sampler_refuse(sampler, PLD_FIELD_PREDICTION_TYPE, error);
    }
    PLD_TRY(pld_schedule_reserve_calls(schedule, schedule->steps, error));
    place_angles(schedule, options);
    schedule->calls = schedule->steps;
    sampler->data_scale = (float)sampler->config.sigma_data;
    schedule->init_noise_sigma = sampler->data_scale;
    return PLD_OK;
}

/** To x0 and, with new noise, up to the next angle. The noise is drawn in the last step too, at angle 0. */
static void step(pld_sampler *sampler, const pld_step *s) {
    const pld_schedule *schedule = &sampler->schedule;
    bool last = s->call == schedule->calls - 1;
    double from = schedule->timesteps[s->call];
    double to = last ? 0 : schedule->timesteps[s->call + 1];
    float sine = (float)sin(from);
    float cosine = (float)cos(from);
    float sine_next = (float)sin(to);
    float cosine_next = (float)cos(to);
    float *noise = sampler->buffers[NOISE];
    pld_rng_normal(s->rng, noise, s->count);
    for (size_t i = 0; i < s->count; i++) {
        float x0 = cosine * s->sample[i] - sine * s->noise_pred[i];
        s->next[i] = cosine_next * x0 + sine_next * (noise[i] * sampler->data_scale);
    }
}

static const pld_sampler_operations operations = {
    .buffers = 1, .prepare = prepare, .space = &pld_space_trigflow, .step = step};

const pld_sampler_kind pld_sampler_scm = {
    .name = "scm",
    .description = "for continuous-time consistency models (SANA-Sprint); 1 to 4 steps",
    .class_name = "SCMScheduler",
    .set_defaults = set_defaults,
    .fields = PLD_FIELD_BIT(NUM_TRAIN_TIMESTEPS) | PLD_FIELD_BIT(PREDICTION_TYPE) | PLD_FIELD_BIT(SIGMA_DATA),
    .uses_noise = true,
    .accepts_timesteps = true,
    .operations = &operations,
};
