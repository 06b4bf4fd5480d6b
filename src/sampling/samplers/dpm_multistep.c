/* SPDX-License-Identifier: Apache-2.0 */
/* DPM-Solver++, multistep: Lu et al. 2022 (arXiv 2211.01095), algorithm 2, orders 1 to 3, as an ordinary and
 * as a stochastic differential equation. */
#include <math.h>
#include <string.h>

#include "sampling/float_math.h"
#include "sampling/prediction.h"
#include "sampling/sampler_internal.h"
#include "sampling/samplers/kinds.h"

enum { OLDEST, PREVIOUS, NEWEST, NOISE }; /* buffers: the last three predictions of x0 */
enum { FEW_STEPS = 15 };                  /* below this the last steps are of lower order */

/** x ← sample·x + newest·x0 + first·D1 + second·D2 + noise·ε, with the differences of the last predictions
 *  d = weight·(x0 − x0 before) and e = weight_before·(x0 before − the one before that). Order 2: D1 = d.
 * Order 3: D1 = d + blend·(d − e), D2 = curve·(d − e). */
typedef struct coefficients {
    float sample, newest, first, second, noise;
    float weight, weight_before, blend, curve;
} coefficients;

static void set_defaults(pld_scheduler_config *config) {
    pld_scheduler_defaults(config);
    config->solver_type = PLD_SOLVER_MIDPOINT;
}

static void set_ordinary(pld_scheduler_config *config) {
    config->algorithm_type = PLD_ALGORITHM_DPMSOLVER_PP;
}

static void set_stochastic(pld_scheduler_config *config) {
    config->algorithm_type = PLD_ALGORITHM_SDE_DPMSOLVER_PP;
}

/** One past the largest timestep whose λ is not clipped. alphas_cumprod falls, so λ does. */
static size_t last_timestep(const pld_sampler *sampler) {
    const pld_schedule *schedule = &sampler->schedule;
    size_t last = schedule->train_timesteps;
    while (last > 0) {
        float alpha_bar = schedule->alphas_cumprod[last - 1];
        float lambda = pld_log_float(sqrtf(alpha_bar)) - pld_log_float(sqrtf(1 - alpha_bar));
        if (!((double)lambda < sampler->config.lambda_min_clipped)) {
            break;
        }
        last--;
    }
    return last;
}

/** 1 − the points of a line from 1 to 1/T, from the noisiest down. */
static double flow_level(size_t train_timesteps, size_t steps, size_t i) {
    return 1 - pld_linspace_at(1, 1 / (double)train_timesteps, steps + 1, steps - i);
}

static const pld_multistep_flow flow_rule = {.level = flow_level};

/** Timesteps and levels with use_flow_sigmas. */
static pld_status prepare_flow(pld_sampler *sampler, const pld_sampling_options *options,
                               const pld_sigma_table *table, pld_error *error) {
    PLD_TRY(pld_prepare_multistep_flow(sampler, options, &flow_rule, table, error));
    bool keep_noise = sampler->config.final_sigmas_type == PLD_FINAL_SIGMA_MIN;
    sampler->schedule.sigmas[sampler->schedule.calls] = keep_noise ? table->sigmas[0] : 0;
    return PLD_OK;
}

static pld_status prepare(pld_sampler *sampler, const pld_sampling_options *options, pld_error *error) {
    pld_schedule *schedule = &sampler->schedule;
    pld_sigma_table table;
    PLD_TRY(pld_sigma_table_create(&sampler->config, schedule->alphas_cumprod, schedule->train_timesteps,
                                   &table, error));
    size_t last = last_timestep(sampler);
    pld_status status = PLD_OK;
    if (sampler->config.use_flow_sigmas) {
        status = prepare_flow(sampler, options, &table, error);
    } else if (last == 0) {
        status = pld_fail(error, PLD_ERROR_FORMAT, "%s: field 'lambda_min_clipped' leaves no timestep",
                          sampler->config.file);
    } else {
        status = pld_prepare_multistep(sampler, options, last, &table, error);
    }
    pld_sigma_table_clear(&table);
    PLD_TRY(status);
    if (sampler->sigma_schedule->field == PLD_FIELD_USE_KARRAS_SIGMAS &&
        sampler->config.beta_schedule != PLD_BETAS_SQUARED_COSINE) {
        pld_round_timesteps(schedule);
    }
    pld_truncate_timesteps(schedule);
    return PLD_OK;
}

/** How many of the last predictions this call has to do with. */
static int order_of_call(const pld_sampler *sampler, size_t call) {
    const pld_scheduler_config *config = &sampler->config;
    size_t calls = sampler->schedule.calls;
    bool few = config->lower_order_final && calls < FEW_STEPS;
    bool first_at_end = config->euler_at_final || few || config->final_sigmas_type == PLD_FINAL_ZERO;
    size_t order = (size_t)config->solver_order;
    if (order > sampler->finished_calls + 1) {
        order = sampler->finished_calls + 1;
    }
    if (call == calls - 1 && first_at_end) {
        order = 1;
    } else if (call + 2 == calls && few && order > 2) {
        order = 2;
    }
    return (int)order;
}

/** Eq. 3.2 and 5.2 and their stochastic forms; the weight of D1 is eq. 5.3's or, for `heun` and order 3,
 *  Taylor's. Float throughout, as diffusers has it. */
static coefficients compute_coefficients(const pld_sampler *sampler, size_t call, int order) {
    const float *sigmas = sampler->schedule.sigmas;
    pld_level to = pld_level_of_sigma(sampler, sigmas[call + 1]);
    pld_level from = pld_level_of_sigma(sampler, sigmas[call]);
    bool stochastic = sampler->config.algorithm_type == PLD_ALGORITHM_SDE_DPMSOLVER_PP;
    bool taylor = sampler->config.solver_type == PLD_SOLVER_HEUN || order == 3;
    float h = to.lambda - from.lambda;
    coefficients c = {0};
    if (stochastic) {
        float decay = pld_exp_float(-2 * h);
        c.sample = to.sigma / from.sigma * pld_exp_float(-h);
        c.newest = to.alpha * (1 - decay);
        c.first = taylor ? to.alpha * ((1 - decay) / (-2 * h) + 1) : 0.5f * c.newest;
        c.second = to.alpha * ((1 - decay - 2 * h) / (2 * h * (2 * h)) - 0.5f);
        c.noise = to.sigma * sqrtf(1 - decay);
    } else {
        float decay = pld_exp_float(-h) - 1;
        c.sample = to.sigma / from.sigma;
        c.newest = -(to.alpha * decay);
        c.first = taylor ? to.alpha * (decay / h + 1) : 0.5f * c.newest;
        c.second = -(to.alpha * ((decay + h) / (h * h) - 0.5f));
    }
    if (order > 1) {
        pld_level before = pld_level_of_sigma(sampler, sigmas[call - 1]);
        float r = (from.lambda - before.lambda) / h;
        c.weight = 1 / r;
        if (order == 3) {
            float r_before = (before.lambda - pld_level_of_sigma(sampler, sigmas[call - 2]).lambda) / h;
            c.weight_before = 1 / r_before;
            c.blend = r / (r + r_before);
            c.curve = 1 / (r + r_before);
        }
    }
    return c;
}

/** What the differences of the last predictions add to element i. */
static float correction(const pld_sampler *sampler, const coefficients *c, int order, size_t i) {
    if (order == 1) {
        return 0;
    }
    const float *newest = sampler->buffers[NEWEST];
    const float *previous = sampler->buffers[PREVIOUS];
    float difference = c->weight * (newest[i] - previous[i]);
    if (order == 2) {
        return c->first * difference;
    }
    float bend = difference - c->weight_before * (previous[i] - sampler->buffers[OLDEST][i]);
    return c->first * (difference + c->blend * bend) + c->second * (c->curve * bend);
}

/** The noise of the stochastic form is drawn in every step, in the last one too. */
static void step(pld_sampler *sampler, const pld_step *s) {
    pld_level level = pld_level_of_sigma(sampler, sampler->schedule.sigmas[s->call]);
    pld_prediction prediction = sampler->config.prediction_type;
    pld_sampler_rotate(sampler, OLDEST, NEWEST);
    float *newest = sampler->buffers[NEWEST];
    float *noise = sampler->buffers[NOISE];
    bool stochastic = sampler->config.algorithm_type == PLD_ALGORITHM_SDE_DPMSOLVER_PP;
    if (stochastic) {
        pld_rng_normal(s->rng, noise, s->count);
    }
    const int order = order_of_call(sampler, s->call);
    const coefficients c = compute_coefficients(sampler, s->call, order);
    for (size_t i = 0; i < s->count; i++) {
        newest[i] = pld_x0_preserving(prediction, s->noise_pred[i], s->sample[i], level.alpha, level.sigma);
        float next = c.sample * s->sample[i] + c.newest * newest[i];
        next += correction(sampler, &c, order, i);
        s->next[i] = stochastic ? next + c.noise * noise[i] : next;
    }
}

static const pld_sampler_operations operations = {
    .buffers = 4, .prepare = prepare, .space = &pld_space_preserving_levels, .step = step};

#define DPM_ROW                                                                                              \
    .class_name = "DPMSolverMultistepScheduler", .set_defaults = set_defaults,                               \
    .fields = PLD_FIELDS_BETAS | PLD_FIELDS_SPACING | PLD_FIELDS_SIGMA_SCHEDULE |                            \
              PLD_FIELD_BIT(SOLVER_ORDER) | PLD_FIELD_BIT(SOLVER_TYPE) | PLD_FIELD_BIT(ALGORITHM_TYPE) |     \
              PLD_FIELD_BIT(LOWER_ORDER_FINAL) | PLD_FIELD_BIT(EULER_AT_FINAL) |                             \
              PLD_FIELD_BIT(FINAL_SIGMAS_TYPE) | PLD_FIELD_BIT(LAMBDA_MIN_CLIPPED) |                         \
              PLD_FIELD_BIT(VARIANCE_TYPE) | PLD_FIELD_BIT(RESCALE_BETAS_ZERO_SNR) |                         \
              PLD_FIELD_BIT(THRESHOLDING) | PLD_FIELD_BIT(USE_LU_LAMBDAS) | PLD_FIELD_BIT(USE_FLOW_SIGMAS) | \
              PLD_FIELD_BIT(FLOW_SHIFT) | PLD_FIELDS_DYNAMIC_SHIFT,                                          \
    .accepts_timesteps = true, .operations = &operations

const pld_sampler_kind pld_sampler_dpmpp_2m = {.name = "dpm++2m",
                                               .description =
                                                   "DPM-Solver++, multistep of order 2; flow models too",
                                               .set_fixed = set_ordinary,
                                               DPM_ROW};

const pld_sampler_kind pld_sampler_dpmpp_2m_sde = {
    .name = "dpm++2m_sde",
    .description = "DPM-Solver++ as a stochastic equation, multistep of order 2; flow models too",
    .set_fixed = set_stochastic,
    .uses_noise = true,
    DPM_ROW};
