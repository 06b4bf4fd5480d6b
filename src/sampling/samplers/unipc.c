/* SPDX-License-Identifier: Apache-2.0 */
/* UniPC: a multistep predictor whose result the next call corrects. Zhao et al. 2023 (arXiv 2302.04867),
 * algorithms 1 and 2, B(h) version, orders 1 to 3. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "sampling/float_math.h"
#include "sampling/prediction.h"
#include "sampling/sampler_internal.h"
#include "sampling/samplers/kinds.h"

/* buffers: three outputs, the last step's start, this call's output */
enum { OLDEST, PREVIOUS, NEWEST, START, CONVERTED };
enum { MAX_ORDER = 3 };

/** The solver's counters. */
typedef struct state {
    int order; /* of the last prediction */
} state;

/** One step from sigmas[from] to sigmas[to] of algorithm 1 or 2: x ← sample·x + newest·m0 +
 *  residual·(Σ rho·D1). */
typedef struct coefficients {
    float sample, newest, residual;
    int outputs;                /* how many before the newest count */
    float ratio[MAX_ORDER - 1]; /* r of each, the latest first */
    float rho[MAX_ORDER];       /* of each and, last, of the output at the end, which the corrector has */
} coefficients;

static void set_defaults(pld_scheduler_config *config) {
    pld_scheduler_defaults(config);
    config->solver_type = PLD_SOLVER_BH2;
}

/** The values at which diffusers runs into 0·∞. */
static pld_status check(const pld_sampler *sampler, pld_error *error) {
    const pld_scheduler_config *config = &sampler->config;
    if (!config->predict_x0 && config->prediction_type == PLD_PREDICT_FLOW) {
        return pld_sampler_refuse(sampler, PLD_FIELD_PREDICT_X0, error);
    }
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

/** The points of a line from 1 to 1/T. */
static double flow_level(size_t train_timesteps, size_t steps, size_t i) {
    return pld_linspace_at(1, 1 / (double)train_timesteps, steps + 1, i);
}

static const pld_multistep_flow flow_rule = {
    .level = flow_level, .shifts_by_ratio = true, .keeps_below_one = true, .karras_in_betas = true};

/** Timesteps and levels, all but those of the betas' final one. */
static pld_status place(pld_sampler *sampler, const pld_sampling_options *options,
                        const pld_sigma_table *table, pld_error *error) {
    pld_schedule *schedule = &sampler->schedule;
    const bool flow = sampler->config.use_flow_sigmas;
    PLD_TRY(flow ? pld_prepare_multistep_flow(sampler, options, &flow_rule, table, error)
                 : pld_prepare_multistep(sampler, options, schedule->train_timesteps, table, error));
    if (flow || pld_has_sigma_schedule(sampler)) {
        bool keep_noise = sampler->config.final_sigmas_type == PLD_FINAL_SIGMA_MIN;
        schedule->sigmas[schedule->calls] = keep_noise ? schedule->sigmas[schedule->calls - 1] : 0;
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
    pld_status status = place(sampler, options, &table, error);
    pld_sigma_table_clear(&table);
    PLD_TRY(status);
    if (sampler->sigma_schedule->field == PLD_FIELD_USE_KARRAS_SIGMAS) {
        pld_round_timesteps(schedule);
    }
    pld_truncate_timesteps(schedule);
    return list_uncorrected(sampler, error);
}

/** Row `row` of the system that gives rho: powers of r, and b. */
static void exchange(float r[MAX_ORDER][MAX_ORDER], float *b, int row, int other) {
    float kept = b[row];
    b[row] = b[other];
    b[other] = kept;
    for (int k = 0; k < MAX_ORDER; k++) {
        kept = r[row][k];
        r[row][k] = r[other][k];
        r[other][k] = kept;
    }
}

/** Solve r·x = b of `n` rows in float with row pivoting, as LAPACK would. Both are overwritten. */
static void solve(float r[MAX_ORDER][MAX_ORDER], float *b, int n, float *x) {
    for (int k = 0; k < n; k++) {
        int pivot = k;
        for (int row = k + 1; row < n; row++) {
            pivot = fabsf(r[row][k]) > fabsf(r[pivot][k]) ? row : pivot;
        }
        exchange(r, b, k, pivot);
        for (int row = k + 1; row < n; row++) {
            float factor = r[row][k] / r[k][k];
            for (int column = k; column < n; column++) {
                r[row][column] -= factor * r[k][column];
            }
            b[row] -= factor * b[k];
        }
    }
    for (int k = n - 1; k >= 0; k--) {
        x[k] = b[k];
        for (int column = k + 1; column < n; column++) {
            x[k] -= r[k][column] * x[column];
        }
        x[k] /= r[k][k];
    }
}

/** rho from the first `n` conditions Σ rho_k·r_k^(i−1) = i!·φ_(i+1)(hh)·hh/B(h); r of the output at the end
 * is 1. */
static void solve_rho(coefficients *c, int n, float hh, float phi_1, float scale) {
    float r[MAX_ORDER][MAX_ORDER];
    float b[MAX_ORDER];
    float phi = phi_1 / hh - 1;
    float factorial = 1;
    for (int row = 0; row < n; row++) {
        for (int k = 0; k < n; k++) {
            float ratio = k < c->outputs ? c->ratio[k] : 1;
            r[row][k] = row == 0 ? 1 : row == 1 ? ratio : ratio * ratio;
        }
        b[row] = phi * factorial / scale;
        factorial *= (float)(row + 2);
        phi = phi / hh - 1 / factorial;
    }
    solve(r, b, n, c->rho);
}

/** Coefficients of the step from sigmas[from] to sigmas[from + 1]. `corrector`: the output at the end counts
 *  too. Float throughout, as diffusers has it. */
static coefficients compute_coefficients(const pld_sampler *sampler, size_t from, int order, bool corrector) {
    const float *sigmas = sampler->schedule.sigmas;
    pld_level end = pld_level_of_sigma(sampler, sigmas[from + 1]);
    pld_level start = pld_level_of_sigma(sampler, sigmas[from]);
    bool data = sampler->config.predict_x0;
    float h = end.lambda - start.lambda;
    float hh = data ? -h : h;
    float phi_1 = pld_expm1_float(hh);
    float scale = sampler->config.solver_type == PLD_SOLVER_BH1 ? hh : phi_1; /* B(h) */
    float outer = data ? end.alpha : end.sigma;
    coefficients c = {.sample = data ? end.sigma / start.sigma : end.alpha / start.alpha,
                      .newest = -(outer * phi_1),
                      .residual = -(outer * scale),
                      .outputs = order - 1,
                      .rho = {0.5f, 0.5f, 0.5f}};
    for (int k = 0; k < c.outputs; k++) {
        pld_level before = pld_level_of_sigma(sampler, sigmas[from - 1 - (size_t)k]);
        c.ratio[k] = (before.lambda - start.lambda) / h;
    }
    const int conditions = corrector ? order : order - 1;
    if (conditions > 1) { /* one is met by 1/2, near enough */
        solve_rho(&c, conditions, hh, phi_1, scale);
    }
    return c;
}

/** Σ rho·D1 over the outputs before the newest, for element i. */
static float differences(const pld_sampler *sampler, const coefficients *c, size_t i) {
    const float *newest = sampler->buffers[NEWEST];
    float sum = 0;
    for (int k = 0; k < c->outputs; k++) {
        float difference = (sampler->buffers[PREVIOUS - k][i] - newest[i]) / c->ratio[k];
        sum = k ? sum + c->rho[k] * difference : c->rho[k] * difference;
    }
    return sum;
}

/** Algorithm 1: correct the sample that the last prediction gave, now that the output there is known.
 *  `corrected` may be the sample. */
static void correct(pld_sampler *sampler, const pld_step *s, int order, float *corrected) {
    const coefficients c = compute_coefficients(sampler, s->call - 1, order, true);
    const float *start = sampler->buffers[START];
    const float *m0 = sampler->buffers[NEWEST];
    const float *here = sampler->buffers[CONVERTED];
    for (size_t i = 0; i < s->count; i++) {
        float residual = differences(sampler, &c, i) + c.rho[c.outputs] * (here[i] - m0[i]);
        corrected[i] = c.sample * start[i] + c.newest * m0[i] + c.residual * residual;
    }
}

/** Algorithm 2: from buffers[START] to s->next. */
static void predict(pld_sampler *sampler, const pld_step *s, int order) {
    const coefficients c = compute_coefficients(sampler, s->call, order, false);
    const float *start = sampler->buffers[START];
    const float *m0 = sampler->buffers[NEWEST];
    for (size_t i = 0; i < s->count; i++) {
        float next = c.sample * start[i] + c.newest * m0[i];
        s->next[i] = order > 1 ? next + c.residual * differences(sampler, &c, i) : next;
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
    pld_level level = pld_level_of_sigma(sampler, sampler->schedule.sigmas[s->call]);
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
    pld_sampler_rotate(sampler, OLDEST, NEWEST);
    memcpy(sampler->buffers[NEWEST], converted, s->count * sizeof(float));
    own->order = order_of_call(sampler, s->call);
    predict(sampler, s, own->order);
}

static const pld_sampler_operations operations = {
    .buffers = 5, .prepare = prepare, .space = &pld_space_preserving_levels, .step = step};

const pld_sampler_kind pld_sampler_unipc = {
    .name = "unipc",
    .description = "predictor-corrector, multistep of order 2; flow models too",
    .class_name = "UniPCMultistepScheduler",
    .set_defaults = set_defaults,
    .fields = PLD_FIELDS_BETAS | PLD_FIELDS_SPACING | PLD_FIELDS_SIGMA_SCHEDULE | PLD_FIELDS_SIGMA_RANGE |
              PLD_FIELD_BIT(SOLVER_ORDER) | PLD_FIELD_BIT(SOLVER_TYPE) | PLD_FIELD_BIT(PREDICT_X0) |
              PLD_FIELD_BIT(LOWER_ORDER_FINAL) | PLD_FIELD_BIT(DISABLE_CORRECTOR) | PLD_FIELD_BIT(SOLVER_P) |
              PLD_FIELD_BIT(FINAL_SIGMAS_TYPE) | PLD_FIELD_BIT(RESCALE_BETAS_ZERO_SNR) |
              PLD_FIELD_BIT(THRESHOLDING) | PLD_FIELD_BIT(USE_FLOW_SIGMAS) | PLD_FIELD_BIT(FLOW_SHIFT) |
              PLD_FIELDS_DYNAMIC_SHIFT | PLD_FIELD_BIT(SHIFT_TERMINAL),
    .accepts_sigmas = true,
    .operations = &operations,
};
