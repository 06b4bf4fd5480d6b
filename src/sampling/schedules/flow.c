/* SPDX-License-Identifier: Apache-2.0 */
/* Timesteps and noise levels of flow models: levels on a line, shifted (Esser et al. 2024, arXiv 2403.03206,
 * section 5.3.2), stretched, or placed by a sigma schedule. */
#include <math.h>

#include "core/memory.h"
#include "sampling/float_math.h"
#include "sampling/sampler_internal.h"

static const double BELOW_ONE = 1e-6;

/** Noise levels in the making. diffusers keeps those it is given in single precision, its own in double. */
typedef struct levels {
    double *sigmas; /* [count] */
    size_t count;
    bool single;
} levels;

/** A result as the precision of the levels has it: of two floats the sum, product or quotient in double,
 *  rounded to float, is the one in float. */
static double rounded(bool single, double value) {
    return single ? (double)(float)value : value;
}

/** s·σ / (1 + (s − 1)·σ). */
static double shift_static(bool single, double s, double sigma) {
    double divisor = rounded(single, 1 + rounded(single, rounded(single, s - 1) * sigma));
    return rounded(single, rounded(single, rounded(single, s) * sigma) / divisor);
}

/** The same as s / (s + (1/σ − 1)), which a dynamic shift is written as. */
static double shift_ratio(bool single, double s, double sigma) {
    double odds = rounded(single, rounded(single, 1 / sigma) - 1);
    return rounded(single, rounded(single, s) / rounded(single, rounded(single, s) + odds));
}

static void shift_levels(levels *l, double s, bool as_ratio) {
    for (size_t i = 0; i < l->count; i++) {
        l->sigmas[i] = (as_ratio ? shift_ratio : shift_static)(l->single, s, l->sigmas[i]);
    }
}

/** Stretch 1 − σ so that the last level becomes `terminal`. A last level of 1, which a run of one step has,
 *  cannot be moved. */
static void stretch_to(levels *l, double terminal) {
    double last = rounded(l->single, 1 - l->sigmas[l->count - 1]);
    if (terminal == 0 || last == 0) {
        return;
    }
    double factor = rounded(l->single, last / rounded(l->single, 1 - terminal));
    for (size_t i = 0; i < l->count; i++) {
        double share = rounded(l->single, rounded(l->single, 1 - l->sigmas[i]) / factor);
        l->sigmas[i] = rounded(l->single, 1 - share);
    }
}

static void fill(levels *l, const double *values, double divisor) {
    l->single = true;
    for (size_t i = 0; i < l->count; i++) {
        l->sigmas[i] = rounded(true, rounded(true, values[i]) / divisor);
    }
}

/** The line between the training ends. A static shift moves the ends, too, so that it acts twice. */
static void fill_line(const pld_sampler *sampler, levels *l) {
    const double train = (double)sampler->schedule.train_timesteps;
    double first = 1;
    double last = (double)(1 / (float)train);
    if (!sampler->config.use_dynamic_shifting) {
        first = shift_static(true, sampler->flow_shift, first);
        last = shift_static(true, sampler->flow_shift, last);
    }
    for (size_t i = 0; i < l->count; i++) {
        l->sigmas[i] = pld_linspace_at(first * train, last * train, l->count, i) / train;
    }
}

/** The levels before any shift. */
static void fill_start(const pld_sampler *sampler, const pld_sampling_options *options, levels *l) {
    if (options->timesteps) {
        fill(l, options->timesteps, (double)sampler->schedule.train_timesteps);
    } else if (options->sigmas) {
        fill(l, options->sigmas, 1);
    } else if (sampler->flow_rule && sampler->flow_rule->place) {
        sampler->flow_rule->place(l->count, l->sigmas);
        fill(l, l->sigmas, 1);
    } else {
        fill_line(sampler, l);
    }
}

/** Replace the levels by those of the sigma schedule in force, if there is one. */
static pld_status apply_schedule(pld_sampler *sampler, double low, double high, levels *l, pld_error *error) {
    sampler->schedule.calls = l->count;
    if (!pld_has_sigma_schedule(sampler)) {
        return PLD_OK;
    }
    const pld_training_levels training = {.count = pld_training_level_count(sampler),
                                          .shift = sampler->flow_shift};
    PLD_TRY(pld_apply_sigma_schedule(sampler, &training, low, high, l->sigmas, error));
    l->count = sampler->schedule.calls;
    return PLD_OK;
}

/** Levels and the final one into the schedule, timesteps beside them; both count the signal where the
 *  configuration inverts them. */
static pld_status store(pld_sampler *sampler, const pld_sampling_options *options, const levels *l,
                        pld_error *error) {
    pld_schedule *schedule = &sampler->schedule;
    const bool inverted = sampler->config.invert_sigmas;
    PLD_TRY(pld_schedule_reserve_calls(schedule, l->count, error));
    PLD_TRY(pld_schedule_reserve_sigmas(schedule, l->count + 1, error));
    for (size_t i = 0; i < l->count; i++) {
        float sigma = (float)l->sigmas[i];
        schedule->sigmas[i] = inverted ? 1 - sigma : sigma;
        bool given = options->timesteps && !inverted;
        schedule->timesteps[i] = given ? (double)(float)options->timesteps[i]
                                       : (double)(schedule->sigmas[i] * (float)schedule->train_timesteps);
    }
    schedule->sigmas[l->count] = inverted ? 1 : 0;
    return PLD_OK;
}

pld_status pld_prepare_flow(pld_sampler *sampler, const pld_sampling_options *options, pld_error *error) {
    const size_t capacity = pld_schedule_capacity(sampler);
    levels l = {.sigmas = pld_allocate(capacity, sizeof(double)), .count = sampler->schedule.steps};
    if (!l.sigmas) {
        return pld_fail_memory(error, capacity * sizeof(double), "noise levels");
    }
    fill_start(sampler, options, &l);
    shift_levels(&l, sampler->flow_shift, sampler->config.use_dynamic_shifting);
    stretch_to(&l, sampler->config.shift_terminal);
    pld_status status = apply_schedule(sampler, l.sigmas[l.count - 1], l.sigmas[0], &l, error);
    if (status == PLD_OK) {
        status = store(sampler, options, &l, error);
    }
    pld_free(l.sigmas);
    return status;
}

/** Karras' levels of the betas, turned into the flow's: σ / (σ + 1). */
static pld_status place_in_betas(pld_sampler *sampler, const pld_sigma_table *table, levels *l,
                                 pld_error *error) {
    PLD_TRY(
        apply_schedule(sampler, (double)table->sigmas[0], (double)table->sigmas[table->count - 1], l, error));
    for (size_t i = 0; i < l->count; i++) {
        l->sigmas[i] = l->sigmas[i] / (l->sigmas[i] + 1);
    }
    return PLD_OK;
}

/** Levels of a multistep solver, all but the final one. */
static pld_status place_multistep(pld_sampler *sampler, const pld_sampling_options *options,
                                  const pld_multistep_flow *rule, const pld_sigma_table *table, levels *l,
                                  pld_error *error) {
    const pld_scheduler_config *config = &sampler->config;
    for (size_t i = 0; i < l->count; i++) {
        l->sigmas[i] = options->sigmas ? options->sigmas[i]
                                       : rule->level(sampler->schedule.train_timesteps, l->count, i);
    }
    shift_levels(l, sampler->flow_shift, config->use_dynamic_shifting && rule->shifts_by_ratio);
    stretch_to(l, config->shift_terminal);
    if (rule->karras_in_betas && sampler->sigma_schedule->field == PLD_FIELD_USE_KARRAS_SIGMAS) {
        return place_in_betas(sampler, table, l, error);
    }
    PLD_TRY(apply_schedule(sampler, l->sigmas[l->count - 1], l->sigmas[0], l, error));
    bool guarded = rule->keeps_below_one || pld_has_sigma_schedule(sampler);
    if (guarded && fabs(l->sigmas[0] - 1) < BELOW_ONE) {
        l->sigmas[0] -= BELOW_ONE;
    }
    return PLD_OK;
}

pld_status pld_prepare_multistep_flow(pld_sampler *sampler, const pld_sampling_options *options,
                                      const pld_multistep_flow *rule, const pld_sigma_table *table,
                                      pld_error *error) {
    pld_schedule *schedule = &sampler->schedule;
    const size_t capacity = pld_schedule_capacity(sampler);
    levels l = {.sigmas = pld_allocate(capacity, sizeof(double)), .count = schedule->steps};
    if (!l.sigmas) {
        return pld_fail_memory(error, capacity * sizeof(double), "noise levels");
    }
    pld_status status = place_multistep(sampler, options, rule, table, &l, error);
    if (status == PLD_OK) {
        status = pld_schedule_reserve_calls(schedule, l.count, error);
    }
    if (status == PLD_OK) {
        status = pld_schedule_reserve_sigmas(schedule, l.count + 1, error);
    }
    for (size_t i = 0; status == PLD_OK && i < l.count; i++) {
        schedule->sigmas[i] = (float)l.sigmas[i];
        schedule->timesteps[i] = trunc(l.sigmas[i] * (double)schedule->train_timesteps);
    }
    pld_free(l.sigmas);
    return status;
}
