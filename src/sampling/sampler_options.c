/* SPDX-License-Identifier: Apache-2.0 */
/* What a run asks for beyond the configuration: checked, and taken over. */
#include <math.h>

#include "sampling/sampler_internal.h"

static const double SMALLEST_SHIFT = 1e-6;
static const double LARGEST_SHIFT = 1e6;
static const double LARGEST_ANGLE = 1.57080; /* SCM's own, a little above π/2 */

/** What an explicit timestep may be. */
typedef struct timestep_range {
    double low, high;
    bool whole;
    const char *expected; /* for the message, which goes on with the model's training timesteps */
} timestep_range;

static timestep_range range_of(const pld_sampler *sampler) {
    double train = (double)sampler->config.num_train_timesteps;
    if (sampler->space == &pld_space_trigflow) {
        return (timestep_range){1e-6, LARGEST_ANGLE, false, "an angle above 0, up to"};
    }
    return sampler->kind->is_flow ? (timestep_range){0, train, false, "a number from 0 to"}
                                  : (timestep_range){0, train - 1, true, "a whole number from 0 to"};
}

/** "euler, heun, …": those that take a list of timesteps. */
static pld_status refuse_timesteps(const pld_sampler *sampler, pld_error *error) {
    const bool flow = sampler->space == &pld_space_flow;
    return pld_fail(error, PLD_ERROR_ARGUMENT, "sampler '%s' cannot take a list of timesteps%s; %s can",
                    sampler->kind->name, flow ? " for a flow model" : "",
                    flow ? "euler, heun and lcm" : "euler, heun, dpm++2m, lcm and tcd");
}

/** Explicit timesteps: allowed here, strictly descending, inside the training range. */
static pld_status check_timesteps(const pld_sampler *sampler, const pld_sampling_options *options,
                                  pld_error *error) {
    const size_t train = (size_t)sampler->config.num_train_timesteps;
    const timestep_range range = range_of(sampler);
    const bool multistep_flow = sampler->space == &pld_space_flow && !sampler->kind->is_flow;
    if (!sampler->kind->accepts_timesteps || multistep_flow) {
        return refuse_timesteps(sampler, error);
    }
    if (pld_has_sigma_schedule(sampler)) {
        return pld_fail(
            error, PLD_ERROR_ARGUMENT,
            "a list of timesteps and scheduler '%s' cannot be used together; use scheduler discrete",
            sampler->sigma_schedule->name);
    }
    if (options->timesteps_count == 0 || options->timesteps_count > train) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "a list of %zu timesteps: expected 1 to %zu",
                        options->timesteps_count, train);
    }
    for (size_t i = 0; i < options->timesteps_count; i++) {
        double timestep = options->timesteps[i];
        bool inside = timestep >= range.low && timestep <= range.high;
        if (!inside || (range.whole && timestep != floor(timestep))) {
            return pld_fail(error, PLD_ERROR_ARGUMENT,
                            "timestep %g: expected %s %g (the model was trained with %zu timesteps)",
                            timestep, range.expected, range.high, train);
        }
        if (i && timestep >= options->timesteps[i - 1]) {
            return pld_fail(error, PLD_ERROR_ARGUMENT,
                            "timestep %g follows %g: expected descending timesteps", timestep,
                            options->timesteps[i - 1]);
        }
    }
    return PLD_OK;
}

/** Explicit noise levels of a flow. */
static pld_status check_sigmas(const pld_sampler *sampler, const pld_sampling_options *options,
                               pld_error *error) {
    const size_t train = (size_t)sampler->config.num_train_timesteps;
    if (sampler->space != &pld_space_flow || !sampler->kind->accepts_sigmas) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "sampler '%s' cannot take a list of noise levels; euler, heun, lcm and unipc can, "
                        "for flow models",
                        sampler->kind->name);
    }
    if (options->timesteps) {
        return pld_fail(
            error, PLD_ERROR_ARGUMENT,
            "a list of timesteps and a list of noise levels cannot be used together; leave one out");
    }
    if (options->sigmas_count == 0 || options->sigmas_count > train) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "a list of %zu noise levels: expected 1 to %zu",
                        options->sigmas_count, train);
    }
    for (size_t i = 0; i < options->sigmas_count; i++) {
        double sigma = options->sigmas[i];
        if (!(sigma > 0 && sigma <= 1 && (!i || sigma < options->sigmas[i - 1]))) {
            return pld_fail(error, PLD_ERROR_ARGUMENT,
                            "noise level %g at place %zu: expected descending noise levels above 0, up to 1",
                            sigma, i);
        }
    }
    return PLD_OK;
}

/** Steps, or the length of the list that is given. */
static pld_status take_steps(pld_sampler *sampler, const pld_sampling_options *options, pld_error *error) {
    const size_t train = (size_t)sampler->config.num_train_timesteps;
    size_t listed = 0;
    sampler->schedule.steps = options->steps;
    if (options->timesteps) {
        PLD_TRY(check_timesteps(sampler, options, error));
        listed = options->timesteps_count;
    }
    if (options->sigmas) {
        PLD_TRY(check_sigmas(sampler, options, error));
        listed = options->sigmas_count;
    }
    if (listed && options->steps && options->steps != listed) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "found %zu steps but a list of %zu %s; leave out the steps", options->steps, listed,
                        options->timesteps ? "timesteps" : "noise levels");
    }
    if (listed) {
        sampler->schedule.steps = listed;
    }
    if (sampler->schedule.steps == 0 || sampler->schedule.steps > train) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "%zu steps: expected 1 to %zu, the model's training timesteps", options->steps,
                        train);
    }
    return PLD_OK;
}

static pld_status take_eta(pld_sampler *sampler, const pld_sampling_options *options, const pld_log *log,
                           pld_error *error) {
    sampler->eta = sampler->kind->default_eta;
    if (isnan(options->eta)) {
        return PLD_OK;
    }
    if (!(options->eta >= 0 && options->eta <= 1)) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "eta %g: expected 0 to 1", options->eta);
    }
    if (sampler->kind->honours_eta) {
        sampler->eta = options->eta;
    } else {
        pld_log_message(log, PLD_LOG_WARNING, "sampler '%s' has no eta, so %g has no effect",
                        sampler->kind->name, options->eta);
    }
    return PLD_OK;
}

/** The shift that image tokens and steps give. */
static pld_status dynamic_shift(const pld_sampler *sampler, const pld_sampling_options *options,
                                double *shift, pld_error *error) {
    const pld_scheduler_config *config = &sampler->config;
    const pld_flow_rule *rule = options->flow_rule;
    if (options->image_tokens == 0) {
        return pld_fail(
            error, PLD_ERROR_ARGUMENT,
            "%s: field 'use_dynamic_shifting' is true, but the number of image tokens is not known; "
            "give a shift",
            config->file);
    }
    if (!(rule && rule->mu) && config->base_image_seq_len == config->max_image_seq_len) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: fields 'base_image_seq_len' and 'max_image_seq_len' are both %lld; expected two "
                        "numbers of image tokens",
                        config->file, (long long)config->base_image_seq_len);
    }
    const double mu =
        (rule && rule->mu ? rule->mu : pld_flow_line)(config, options->image_tokens, sampler->schedule.steps);
    *shift = config->time_shift_type == PLD_TIME_SHIFT_LINEAR ? mu : exp(mu);
    if (!(*shift >= 1e-30 && *shift <= 1e30)) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: fields 'base_shift' and 'max_shift' give a shift of %g at %zu image tokens, "
                        "expected one above 0; give a shift",
                        config->file, *shift, options->image_tokens);
    }
    return PLD_OK;
}

/** The shift of a flow: asked for, by image tokens, or the configuration's. */
static pld_status take_shift(pld_sampler *sampler, const pld_sampling_options *options, const pld_log *log,
                             pld_error *error) {
    const pld_scheduler_config *config = &sampler->config;
    const bool asked = !isnan(options->shift);
    sampler->flow_rule = options->flow_rule;
    if (asked && !(options->shift >= SMALLEST_SHIFT && options->shift <= LARGEST_SHIFT)) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "shift %g: expected %g to %g", options->shift,
                        SMALLEST_SHIFT, LARGEST_SHIFT);
    }
    if (sampler->space != &pld_space_flow) {
        if (asked) {
            pld_log_message(log, PLD_LOG_WARNING, "sampler '%s' has no shift here, so %g has no effect",
                            sampler->kind->name, options->shift);
        }
        return PLD_OK;
    }
    sampler->flow_shift = sampler->kind->is_flow ? config->shift : config->flow_shift;
    if (asked) {
        sampler->flow_shift = options->shift;
    } else if (config->use_dynamic_shifting) {
        return dynamic_shift(sampler, options, &sampler->flow_shift, error);
    }
    return PLD_OK;
}

pld_status pld_sampler_take_options(pld_sampler *sampler, const pld_sampling_options *options,
                                    const pld_log *log, pld_error *error) {
    PLD_TRY(take_eta(sampler, options, log, error));
    PLD_TRY(take_steps(sampler, options, error));
    return take_shift(sampler, options, log, error);
}
