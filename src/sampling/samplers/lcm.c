/* SPDX-License-Identifier: Apache-2.0 */
/* Multistep consistency sampling: Song et al. 2023 (arXiv 2303.01469), algorithm 1, on latents as in Luo et
 * al. 2023 (arXiv 2310.04378). */
#include <math.h>

#include "sampling/prediction.h"
#include "sampling/sampler_internal.h"
#include "sampling/samplers/kinds.h"

enum { NOISE }; /* buffers */

static const float DATA_VARIANCE = 0.25f; /* σ_data = 0.5 of the boundary condition */

static void set_defaults(pld_scheduler_config *config) {
    pld_scheduler_defaults(config);
    config->beta_start = 0.00085;
    config->beta_end = 0.012;
    config->beta_schedule = PLD_BETAS_SCALED_LINEAR;
}

/** The predicted clean sample, made noisy again to the next timestep but in the last call. */
static void step(pld_sampler *sampler, const pld_step *s) {
    const pld_scheduler_config *config = &sampler->config;
    const pld_schedule *schedule = &sampler->schedule;
    int64_t timestep = (int64_t)schedule->timesteps[s->call];
    bool last = s->call == schedule->calls - 1;
    float alpha_bar = pld_alpha_cumprod_at(sampler, timestep);
    float next_alpha_bar =
        last ? 1 : pld_alpha_cumprod_at(sampler, (int64_t)schedule->timesteps[s->call + 1]);
    float a = sqrtf(alpha_bar);
    float b = sqrtf(1 - alpha_bar);
    float a_next = sqrtf(next_alpha_bar);
    float b_next = sqrtf(1 - next_alpha_bar);
    float scaled = (float)timestep * (float)config->timestep_scaling;
    float skip = DATA_VARIANCE / (scaled * scaled + DATA_VARIANCE);
    float out = scaled / sqrtf(scaled * scaled + DATA_VARIANCE);
    float range = config->clip_sample ? (float)config->clip_sample_range : INFINITY;
    float *noise = sampler->buffers[NOISE];
    if (!last) {
        pld_rng_normal(s->rng, noise, s->count);
    }
    for (size_t i = 0; i < s->count; i++) {
        float x = s->sample[i];
        float x0 = pld_clamp(pld_x0_preserving(config->prediction_type, s->noise_pred[i], x, a, b), range);
        float denoised = out * x0 + skip * x;
        s->next[i] = last ? denoised : a_next * denoised + b_next * noise[i];
    }
}

static const pld_sampler_operations operations = {
    .buffers = 1, .prepare = pld_prepare_consistency, .space = &pld_space_preserving, .step = step};

const pld_sampler_kind pld_sampler_lcm = {
    .name = "lcm",
    .description = "for latent consistency models; 1 to 8 steps; flow models too",
    .class_name = "LCMScheduler",
    .set_defaults = set_defaults,
    .fields = PLD_FIELDS_BETAS | PLD_FIELD_BIT(ORIGINAL_INFERENCE_STEPS) | PLD_FIELD_BIT(CLIP_SAMPLE) |
              PLD_FIELD_BIT(CLIP_SAMPLE_RANGE) | PLD_FIELD_BIT(TIMESTEP_SCALING) |
              PLD_FIELD_BIT(THRESHOLDING) | PLD_FIELD_BIT(RESCALE_BETAS_ZERO_SNR),
    .uses_noise = true,
    .accepts_timesteps = true,
    .flow = &pld_sampler_flow_lcm,
    .operations = &operations,
};
