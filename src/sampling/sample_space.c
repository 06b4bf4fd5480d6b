/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling/sample_space.h"

#include <math.h>

#include "sampling/prediction.h"
#include "sampling/sampler_internal.h"

static pld_sample_level exploding_level(const pld_sampler *sampler, size_t call) {
    return (pld_sample_level){1, sampler->schedule.sigmas[call]};
}

static float exploding_x0(const pld_sampler *sampler, pld_sample_level level, float noise_pred, float x) {
    return pld_x0_exploding(sampler->config.prediction_type, noise_pred, x, level.sigma);
}

/** Unit variance for the network. */
static void exploding_input(const pld_sampler *sampler, size_t call, const float *sample, float *input,
                            size_t count) {
    float sigma = sampler->schedule.sigmas[call];
    float divisor = sqrtf(sigma * sigma + 1);
    for (size_t i = 0; i < count; i++) {
        input[i] = sample[i] / divisor;
    }
}

static pld_sample_level preserving_level(const pld_sampler *sampler, size_t call) {
    float alpha_bar = pld_alpha_cumprod_at(sampler, (int64_t)sampler->schedule.timesteps[call]);
    return (pld_sample_level){sqrtf(alpha_bar), sqrtf(1 - alpha_bar)};
}

static pld_sample_level preserving_levels_level(const pld_sampler *sampler, size_t call) {
    pld_level level = pld_level_of_sigma(sampler, sampler->schedule.sigmas[call]);
    return (pld_sample_level){level.alpha, level.sigma};
}

static float preserving_x0(const pld_sampler *sampler, pld_sample_level level, float noise_pred, float x) {
    return pld_x0_preserving(sampler->config.prediction_type, noise_pred, x, level.alpha, level.sigma);
}

/** With invert_sigmas the schedule counts the signal, and the velocity points to it. */
static pld_sample_level flow_level(const pld_sampler *sampler, size_t call) {
    float sigma = sampler->schedule.sigmas[call];
    return sampler->config.invert_sigmas ? (pld_sample_level){sigma, 1 - sigma}
                                         : (pld_sample_level){1 - sigma, sigma};
}

static float flow_x0(const pld_sampler *sampler, pld_sample_level level, float noise_pred, float x) {
    float output = sampler->config.invert_sigmas ? -noise_pred : noise_pred;
    return pld_x0_preserving(sampler->config.prediction_type, output, x, level.alpha, level.sigma);
}

/** Sine and cosine of the angle of a call, rounded to float. */
typedef struct direction {
    float sine, cosine;
} direction;

static direction direction_of(const pld_sampler *sampler, size_t call) {
    double angle = sampler->schedule.timesteps[call];
    return (direction){(float)sin(angle), (float)cos(angle)};
}

static pld_sample_level trigflow_level(const pld_sampler *sampler, size_t call) {
    direction d = direction_of(sampler, call);
    return (pld_sample_level){sampler->data_scale * d.cosine, sampler->data_scale * d.sine};
}

/** x0 = cos(t)·x − sin(t)·prediction in the sample's own scale, which is `data_scale` times that of x0. */
static float trigflow_x0(const pld_sampler *sampler, pld_sample_level level, float noise_pred, float x) {
    float scale = sampler->data_scale;
    return (level.alpha / scale * x - level.sigma / scale * noise_pred) / scale;
}

/** The time of the straight flow with the same share of noise: sin(t) / (sin(t) + cos(t)). */
static float flow_time(const pld_sampler *sampler, size_t call) {
    direction d = direction_of(sampler, call);
    return d.sine / (d.cosine + d.sine);
}

/** Norm of (1 − t, t): a sample of unit variance times this is one of the straight flow. */
static float flow_norm(float t) {
    float rest = 1 - t;
    return sqrtf(t * t + rest * rest);
}

static double trigflow_timestep(const pld_sampler *sampler, size_t call) {
    return (double)flow_time(sampler, call);
}

static void trigflow_input(const pld_sampler *sampler, size_t call, const float *sample, float *input,
                           size_t count) {
    float norm = flow_norm(flow_time(sampler, call));
    for (size_t i = 0; i < count; i++) {
        input[i] = sample[i] / sampler->data_scale * norm;
    }
}

/** From the velocity of the straight flow to trigflow's: Chen et al. 2025 (arXiv 2503.09641). */
static void trigflow_convert(const pld_sampler *sampler, size_t call, const float *input, const float *output,
                             float *noise_pred, size_t count) {
    float t = flow_time(sampler, call);
    float norm = flow_norm(t);
    float of_input = 1 - 2 * t;
    float of_output = 1 - 2 * t + 2 * (t * t);
    for (size_t i = 0; i < count; i++) {
        noise_pred[i] = (of_input * input[i] + of_output * output[i]) / norm * sampler->data_scale;
    }
}

const pld_sample_space pld_space_exploding = {.name = "variance exploding",
                                              .level = exploding_level,
                                              .x0 = exploding_x0,
                                              .scale_input = exploding_input};
const pld_sample_space pld_space_preserving = {
    .name = "variance preserving", .level = preserving_level, .x0 = preserving_x0};
const pld_sample_space pld_space_preserving_levels = {
    .name = "variance preserving, by noise level", .level = preserving_levels_level, .x0 = preserving_x0};
const pld_sample_space pld_space_flow = {.name = "flow", .level = flow_level, .x0 = flow_x0};
const pld_sample_space pld_space_trigflow = {.name = "trigflow",
                                             .level = trigflow_level,
                                             .x0 = trigflow_x0,
                                             .scale_input = trigflow_input,
                                             .network_timestep = trigflow_timestep,
                                             .convert = trigflow_convert};
