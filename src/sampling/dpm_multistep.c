/* SPDX-License-Identifier: Apache-2.0 */
/* DPM-Solver++ (2M): Lu et al. 2022 (arXiv 2211.01095), algorithm 2, as an ordinary and as a stochastic
 * differential equation. */
#include <math.h>
#include <string.h>

#include "sampling/float_math.h"
#include "sampling/prediction.h"
#include "sampling/sampler_internal.h"
#include "sampling/sampler_kinds.h"

enum { PREVIOUS, NEWEST, NOISE }; /* buffers: the last two predictions of x0 */
enum { FEW_STEPS = 15 };          /* below this the last step is of first order */

/** x ← sample·x + newest·x0 + change·(x0 − x0 before)·weight + noise·ε. */
typedef struct coefficients {
    float sample, newest, change, weight, noise;
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

static pld_status prepare(pld_sampler *sampler, const pld_sampling_options *options, pld_error *error) {
    pld_schedule *schedule = &sampler->schedule;
    pld_sigma_table table;
    PLD_TRY(pld_sigma_table_create(&sampler->config, schedule->alphas_cumprod, schedule->train_timesteps,
                                   &table, error));
    size_t last = last_timestep(sampler);
    pld_status status = PLD_OK;
    if (last == 0) {
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

/** Whether this call has to do with the newest prediction alone. */
static bool first_order(const pld_sampler *sampler, size_t call) {
    const pld_scheduler_config *config = &sampler->config;
    size_t calls = sampler->schedule.calls;
    bool lower_at_end = config->euler_at_final || (config->lower_order_final && calls < FEW_STEPS) ||
                        config->final_sigmas_type == PLD_FINAL_ZERO;
    return config->solver_order == 1 || sampler->finished_calls == 0 || (call == calls - 1 && lower_at_end);
}

/** Eq. 3.2 and 5.2 and their stochastic forms; D1's weight is eq. 5.3's or, for `heun`, Taylor's. Float
 *  throughout, as diffusers has it. */
static coefficients compute_coefficients(const pld_sampler *sampler, size_t call) {
    const float *sigmas = sampler->schedule.sigmas;
    pld_level to = pld_level_of_sigma(sigmas[call + 1]);
    pld_level from = pld_level_of_sigma(sigmas[call]);
    bool stochastic = sampler->config.algorithm_type == PLD_ALGORITHM_SDE_DPMSOLVER_PP;
    bool heun = sampler->config.solver_type == PLD_SOLVER_HEUN;
    float h = to.lambda - from.lambda;
    coefficients c = {0};
    if (stochastic) {
        float decay = pld_exp_float(-2 * h);
        c.sample = to.sigma / from.sigma * pld_exp_float(-h);
        c.newest = to.alpha * (1 - decay);
        c.change = heun ? to.alpha * ((1 - decay) / (-2 * h) + 1) : 0.5f * c.newest;
        c.noise = to.sigma * sqrtf(1 - decay);
    } else {
        float decay = pld_exp_float(-h) - 1;
        c.sample = to.sigma / from.sigma;
        c.newest = -(to.alpha * decay);
        c.change = heun ? to.alpha * (decay / h + 1) : 0.5f * c.newest;
    }
    if (first_order(sampler, call)) {
        c.change = 0;
    } else {
        float h_before = from.lambda - pld_level_of_sigma(sigmas[call - 1]).lambda;
        c.weight = 1 / (h_before / h);
    }
    return c;
}

/** The noise of the stochastic form is drawn in every step, in the last one too. */
static void step(pld_sampler *sampler, const pld_step *s) {
    pld_level level = pld_level_of_sigma(sampler->schedule.sigmas[s->call]);
    pld_prediction prediction = sampler->config.prediction_type;
    pld_sampler_rotate(sampler, PREVIOUS, NEWEST);
    const float *previous = sampler->buffers[PREVIOUS];
    float *newest = sampler->buffers[NEWEST];
    float *noise = sampler->buffers[NOISE];
    bool stochastic = sampler->config.algorithm_type == PLD_ALGORITHM_SDE_DPMSOLVER_PP;
    if (stochastic) {
        pld_rng_normal(s->rng, noise, s->count);
    }
    const coefficients c = compute_coefficients(sampler, s->call);
    bool alone = first_order(sampler, s->call);
    for (size_t i = 0; i < s->count; i++) {
        newest[i] = pld_x0_preserving(prediction, s->noise_pred[i], s->sample[i], level.alpha, level.sigma);
        float next = c.sample * s->sample[i] + c.newest * newest[i];
        if (!alone) {
            next += c.change * (c.weight * (newest[i] - previous[i]));
        }
        s->next[i] = stochastic ? next + c.noise * noise[i] : next;
    }
}

static const pld_sampler_operations operations = {.buffers = 3, .prepare = prepare, .step = step};

#define DPM_ROW                                                                                              \
    .class_name = "DPMSolverMultistepScheduler", .set_defaults = set_defaults,                               \
    .fields = PLD_FIELDS_BETAS | PLD_FIELDS_SPACING | PLD_FIELDS_SIGMA_SCHEDULE |                            \
              PLD_FIELD_BIT(SOLVER_ORDER) | PLD_FIELD_BIT(SOLVER_TYPE) | PLD_FIELD_BIT(ALGORITHM_TYPE) |     \
              PLD_FIELD_BIT(LOWER_ORDER_FINAL) | PLD_FIELD_BIT(EULER_AT_FINAL) |                             \
              PLD_FIELD_BIT(FINAL_SIGMAS_TYPE) | PLD_FIELD_BIT(LAMBDA_MIN_CLIPPED) |                         \
              PLD_FIELD_BIT(VARIANCE_TYPE) | PLD_FIELD_BIT(RESCALE_BETAS_ZERO_SNR) |                         \
              PLD_FIELD_BIT(THRESHOLDING) | PLD_FIELD_BIT(USE_LU_LAMBDAS) | PLD_FIELD_BIT(USE_FLOW_SIGMAS) | \
              PLD_FIELD_BIT(USE_DYNAMIC_SHIFTING),                                                           \
    .accepts_timesteps = true, .operations = &operations

const pld_sampler_kind pld_sampler_dpmpp_2m = {.name = "dpm++2m",
                                               .description = "DPM-Solver++, multistep of order 2",
                                               .set_fixed = set_ordinary,
                                               DPM_ROW};

const pld_sampler_kind pld_sampler_dpmpp_2m_sde = {
    .name = "dpm++2m_sde",
    .description = "DPM-Solver++ as a stochastic equation, multistep of order 2",
    .set_fixed = set_stochastic,
    .uses_noise = true,
    DPM_ROW};
