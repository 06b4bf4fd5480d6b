/* SPDX-License-Identifier: Apache-2.0 */
/* UniPC: a multistep predictor whose result the next call corrects. Zhao et al. 2023 (arXiv 2302.04867),
 * algorithms 1 and 2, B(h) version, orders 1 and 2. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "sampling/float_math.h"
#include "sampling/prediction.h"
#include "sampling/sampler_internal.h"
#include "sampling/sampler_kinds.h"

enum {
    PREVIOUS,
    NEWEST,
    START,
    CONVERTED
}; /* buffers: two outputs, the last step's start, this call's output */

/** The solver's counters. */
typedef struct state {
    int order; /* of the last prediction */
} state;

/** One step from sigmas[from] to sigmas[to] of algorithm 1 or 2: x ← sample·x + newest·m0 +
 *  residual·(Σ rho·D1). */
typedef struct coefficients {
    float sample, newest, residual;
    float ratio;        /* r of the output before the newest */
    float before, here; /* rho of that output and, in the corrector, of the output at the end */
} coefficients;

static void set_defaults(pld_scheduler_config *config) {
    pld_scheduler_defaults(config);
    config->solver_type = PLD_SOLVER_BH2;
}

/** The values at which diffusers runs into 0·∞. */
static pld_status check(const pld_sampler *sampler, pld_error *error) {
    const pld_scheduler_config *config = &sampler->config;
    if (config->final_sigmas_type != PLD_FINAL_ZERO) {
        return PLD_OK;
    }
    const char *needs = !config->predict_x0                                      ? "predict_x0 false"
                        : config->solver_type == PLD_SOLVER_BH1                  ? "solver_type bh1"
                        : !config->lower_order_final && config->solver_order > 1 ? "lower_order_final false"
                                                                                 : NULL;
    if (needs) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: %s has no last step to noise level zero; it needs final_sigmas_type sigma_min",
                        config->file, needs);
    }
    return PLD_OK;
}

/** skip_corrector[calls] from the configuration's list: step i is not corrected when i − 1 is listed. */
static pld_status list_uncorrected(pld_sampler *sampler, pld_error *error) {
    size_t calls = sampler->schedule.calls;
    sampler->skip_corrector = pld_allocate(calls, sizeof(bool));
    if (!sampler->skip_corrector) {
        return pld_fail_memory(error, calls * sizeof(bool), "corrector steps");
    }
    const pld_integer_list *list = &sampler->config.disable_corrector;
    for (size_t i = 0; i < list->count; i++) {
        int64_t call = list->values[i] + 1;
        if (call >= 0 && call < (int64_t)calls) {
            sampler->skip_corrector[call] = true;
        }
    }
    return PLD_OK;
}

static pld_status prepare(pld_sampler *sampler, const pld_sampling_options *options, pld_error *error) {
    pld_schedule *schedule = &sampler->schedule;
    pld_sigma_table table;
    /* names that belong to other solvers stand for the default one, as in diffusers */
    if (sampler->config.solver_type != PLD_SOLVER_BH1) {
        sampler->config.solver_type = PLD_SOLVER_BH2;
    }
    PLD_TRY(check(sampler, error));
    PLD_TRY(pld_sigma_table_create(&sampler->config, schedule->alphas_cumprod, schedule->train_timesteps,
                                   &table, error));
    pld_status status = pld_prepare_multistep(sampler, options, schedule->train_timesteps, &table, error);
    pld_sigma_table_clear(&table);
    PLD_TRY(status);
    if (sampler->sigma_schedule->place && sampler->config.final_sigmas_type == PLD_FINAL_SIGMA_MIN) {
        schedule->sigmas[schedule->calls] = schedule->sigmas[schedule->calls - 1];
    }
    if (sampler->sigma_schedule->field == PLD_FIELD_USE_KARRAS_SIGMAS) {
        pld_round_timesteps(schedule);
    }
    pld_truncate_timesteps(schedule);
    return list_uncorrected(sampler, error);
}

/** Solve [1 1; r 1]·rho = b in float with row pivoting, as LAPACK would. */
static void solve_pair(float r, const float b[2], coefficients *c) {
    if (fabsf(r) > 1) {
        float factor = 1 / r;
        c->here = (b[0] - factor * b[1]) / (1 - factor);
        c->before = (b[1] - c->here) / r;
    } else {
        c->here = (b[1] - r * b[0]) / (1 - r);
        c->before = b[0] - c->here;
    }
}

/** Coefficients of the step from sigmas[from] to sigmas[from + 1]. `corrector`: the output at the end counts
 *  too. Float throughout, as diffusers has it. */
static coefficients compute_coefficients(const pld_sampler *sampler, size_t from, int order, bool corrector) {
    const float *sigmas = sampler->schedule.sigmas;
    pld_level end = pld_level_of_sigma(sigmas[from + 1]);
    pld_level start = pld_level_of_sigma(sigmas[from]);
    bool data = sampler->config.predict_x0;
    float h = end.lambda - start.lambda;
    float hh = data ? -h : h;
    float phi_1 = pld_expm1_float(hh);
    float scale = sampler->config.solver_type == PLD_SOLVER_BH1 ? hh : phi_1; /* B(h) */
    float outer = data ? end.alpha : end.sigma;
    coefficients c = {.sample = data ? end.sigma / start.sigma : end.alpha / start.alpha,
                      .newest = -(outer * phi_1),
                      .residual = -(outer * scale),
                      .before = 0.5f,
                      .here = 0.5f};
    if (order == 2) {
        c.ratio = (pld_level_of_sigma(sigmas[from - 1]).lambda - start.lambda) / h;
        if (corrector) {
            float phi_2 = phi_1 / hh - 1;
            float phi_3 = phi_2 / hh - 0.5f;
            const float b[2] = {phi_2 / scale, phi_3 * 2 / scale};
            solve_pair(c.ratio, b, &c);
        }
    }
    return c;
}

/** Algorithm 1: correct the sample that the last prediction gave, now that the output there is known.
 *  `corrected` may be the sample. */
static void correct(pld_sampler *sampler, const pld_step *s, int order, float *corrected) {
    const coefficients c = compute_coefficients(sampler, s->call - 1, order, true);
    const float *start = sampler->buffers[START];
    const float *m0 = sampler->buffers[NEWEST];
    const float *m1 = sampler->buffers[PREVIOUS];
    const float *here = sampler->buffers[CONVERTED];
    for (size_t i = 0; i < s->count; i++) {
        float residual = c.here * (here[i] - m0[i]);
        if (order == 2) {
            residual = c.before * ((m1[i] - m0[i]) / c.ratio) + residual;
        }
        corrected[i] = c.sample * start[i] + c.newest * m0[i] + c.residual * residual;
    }
}

/** Algorithm 2: from buffers[START] to s->next. */
static void predict(pld_sampler *sampler, const pld_step *s, int order) {
    const coefficients c = compute_coefficients(sampler, s->call, order, false);
    const float *start = sampler->buffers[START];
    const float *m0 = sampler->buffers[NEWEST];
    const float *m1 = sampler->buffers[PREVIOUS];
    for (size_t i = 0; i < s->count; i++) {
        float next = c.sample * start[i] + c.newest * m0[i];
        if (order == 2) {
            next += c.residual * (c.before * ((m1[i] - m0[i]) / c.ratio));
        }
        s->next[i] = next;
    }
}

static int order_of_call(const pld_sampler *sampler, size_t call) {
    size_t order = (size_t)sampler->config.solver_order;
    size_t left = sampler->schedule.calls - call;
    if (sampler->config.lower_order_final && left < order) {
        order = left;
    }
    return (int)(order < sampler->finished_calls + 1 ? order : sampler->finished_calls + 1);
}

static void step(pld_sampler *sampler, const pld_step *s) {
    state *own = (state *)sampler->state;
    const pld_scheduler_config *config = &sampler->config;
    pld_level level = pld_level_of_sigma(sampler->schedule.sigmas[s->call]);
    float *converted = sampler->buffers[CONVERTED];
    for (size_t i = 0; i < s->count; i++) {
        converted[i] = config->predict_x0 ? pld_x0_preserving(config->prediction_type, s->noise_pred[i],
                                                              s->sample[i], level.alpha, level.sigma)
                                          : pld_epsilon_preserving(config->prediction_type, s->noise_pred[i],
                                                                   s->sample[i], level.alpha, level.sigma);
    }
    if (sampler->finished_calls > 0 && !sampler->skip_corrector[s->call]) {
        correct(sampler, s, own->order, sampler->buffers[START]);
    } else {
        memcpy(sampler->buffers[START], s->sample, s->count * sizeof(float));
    }
    pld_sampler_rotate(sampler, PREVIOUS, NEWEST);
    memcpy(sampler->buffers[NEWEST], converted, s->count * sizeof(float));
    own->order = order_of_call(sampler, s->call);
    predict(sampler, s, own->order);
}

static const pld_sampler_operations operations = {.buffers = 4, .prepare = prepare, .step = step};

const pld_sampler_kind pld_sampler_unipc = {
    .name = "unipc",
    .description = "predictor-corrector, multistep of order 2",
    .class_name = "UniPCMultistepScheduler",
    .set_defaults = set_defaults,
    .fields = PLD_FIELDS_BETAS | PLD_FIELDS_SPACING | PLD_FIELDS_SIGMA_SCHEDULE | PLD_FIELDS_SIGMA_RANGE |
              PLD_FIELD_BIT(SOLVER_ORDER) | PLD_FIELD_BIT(SOLVER_TYPE) | PLD_FIELD_BIT(PREDICT_X0) |
              PLD_FIELD_BIT(LOWER_ORDER_FINAL) | PLD_FIELD_BIT(DISABLE_CORRECTOR) | PLD_FIELD_BIT(SOLVER_P) |
              PLD_FIELD_BIT(FINAL_SIGMAS_TYPE) | PLD_FIELD_BIT(RESCALE_BETAS_ZERO_SNR) |
              PLD_FIELD_BIT(THRESHOLDING) | PLD_FIELD_BIT(USE_FLOW_SIGMAS) |
              PLD_FIELD_BIT(USE_DYNAMIC_SHIFTING) | PLD_FIELD_BIT(SHIFT_TERMINAL),
    .operations = &operations,
};
