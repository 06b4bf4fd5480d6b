/* SPDX-License-Identifier: Apache-2.0 */
/* Euler's method down to a lower noise level than wanted, and fresh noise up again. */
#include <math.h>

#include "sampling/prediction.h"
#include "sampling/sampler_internal.h"
#include "sampling/samplers/kinds.h"

enum { NOISE }; /* buffers */

static pld_status check(const pld_sampler *sampler, pld_error *error) {
    if (sampler->config.prediction_type == PLD_PREDICT_SAMPLE) {
        return pld_sampler_refuse(sampler, PLD_FIELD_PREDICTION_TYPE, error);
    }
    return PLD_OK;
}

/** The noise is drawn in the last step too, where nothing of it is used. */
static void step(pld_sampler *sampler, const pld_step *s) {
    float from = sampler->schedule.sigmas[s->call];
    float to = sampler->schedule.sigmas[s->call + 1];
    float up = sqrtf(to * to * (from * from - to * to) / (from * from));
    float distance = sqrtf(to * to - up * up) - from;
    float *noise = sampler->buffers[NOISE];
    pld_rng_normal(s->rng, noise, s->count);
    for (size_t i = 0; i < s->count; i++) {
        float x = s->sample[i];
        float x0 = pld_x0_exploding(sampler->config.prediction_type, s->noise_pred[i], x, from);
        s->next[i] = x + (x - x0) / from * distance + noise[i] * up;
    }
}

static const pld_sampler_operations operations = {.buffers = 1,
                                                  .check = check,
                                                  .prepare = pld_prepare_sigma_space,
                                                  .space = &pld_space_exploding,
                                                  .step = step};

const pld_sampler_kind pld_sampler_euler_a = {
    .name = "euler_a",
    .description = "first order, adds fresh noise in every step",
    .class_name = "EulerAncestralDiscreteScheduler",
    .set_defaults = pld_scheduler_defaults,
    .fields = PLD_FIELDS_BETAS | PLD_FIELDS_SPACING | PLD_FIELD_BIT(RESCALE_BETAS_ZERO_SNR),
    .uses_noise = true,
    .operations = &operations,
};
