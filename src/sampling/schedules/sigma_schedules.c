/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling/schedules/sigma_schedules.h"

#include <math.h>
#include <string.h>

#include "sampling/float_math.h"
#include "sampling/schedules/beta_distribution.h"

static const double AS_GOOD_AS_ZERO = 1e-5; /* a noise level that ComfyUI takes for none */

/** Karras et al. 2022 (arXiv 2206.00364), eq. 5, with ρ = 7. */
static void place_karras(double sigma_min, double sigma_max, size_t count, double *sigmas) {
    const double rho = 7;
    double low = pow(sigma_min, 1 / rho);
    double high = pow(sigma_max, 1 / rho);
    for (size_t i = 0; i < count; i++) {
        sigmas[i] = pow(high + pld_linspace_at(0, 1, count, i) * (low - high), rho);
    }
}

/** Equal distances in log σ. */
static void place_exponential(double sigma_min, double sigma_max, size_t count, double *sigmas) {
    double first = log(sigma_max);
    double last = log(sigma_min);
    for (size_t i = 0; i < count; i++) {
        sigmas[i] = exp(pld_linspace_at(first, last, count, i));
    }
}

/** Quantiles of Beta(0.6, 0.6): Lee et al. 2024 (arXiv 2407.12173). */
static void place_beta(double sigma_min, double sigma_max, size_t count, double *sigmas) {
    for (size_t i = 0; i < count; i++) {
        double quantile = pld_beta_quantile(1 - pld_linspace_at(0, 1, count, i), 0.6, 0.6);
        sigmas[i] = sigma_min + quantile * (sigma_max - sigma_min);
    }
}

/** Every count/steps-th level from the noisiest down. */
static size_t pick_simple(const pld_training_levels *levels, size_t steps, double *sigmas) {
    double stride = (double)levels->count / (double)steps;
    for (size_t i = 0; i < steps; i++) {
        sigmas[i] = pld_training_sigma(levels, levels->count - 1 - (size_t)((double)i * stride));
    }
    return steps;
}

/** The first `steps` of `points` equal distances in time from the noisiest level to the cleanest. */
static size_t pick_times(const pld_training_levels *levels, size_t steps, size_t points, double *sigmas) {
    double first = pld_training_last_time(levels);
    double last = pld_training_first_time(levels);
    for (size_t i = 0; i < steps; i++) {
        sigmas[i] = pld_training_sigma_at_time(levels, pld_linspace_at(first, last, points, i));
    }
    return steps;
}

/** Both ends included, but a cleanest level that is as good as 0, which ends every schedule anyhow. */
static size_t pick_normal(const pld_training_levels *levels, size_t steps, double *sigmas) {
    double end = pld_training_sigma_at_time(levels, pld_training_first_time(levels));
    return pick_times(levels, steps, steps + (end <= AS_GOOD_AS_ZERO), sigmas);
}

static size_t pick_sgm_uniform(const pld_training_levels *levels, size_t steps, double *sigmas) {
    return pick_times(levels, steps, steps + 1, sigmas);
}

/** Whole strides from the second level up; where `steps` does not divide well there are more levels. */
static size_t pick_ddim_uniform(const pld_training_levels *levels, size_t steps, double *sigmas) {
    bool ends_at_zero = pld_training_sigma(levels, 1) <= AS_GOOD_AS_ZERO;
    size_t stride = levels->count / (steps + ends_at_zero);
    stride = stride ? stride : 1;
    size_t lowest = ends_at_zero ? 1 + stride : 1;
    size_t count = lowest < levels->count ? (levels->count - 1 - lowest) / stride + 1 : 0;
    for (size_t i = 0; i < count; i++) {
        sigmas[i] = pld_training_sigma(levels, lowest + (count - 1 - i) * stride);
    }
    return count;
}

/** Levels at the quantiles of Beta(0.6, 0.6), each once; the noisiest is the first, the cleanest left out. */
static size_t pick_beta_uniform(const pld_training_levels *levels, size_t steps, double *sigmas) {
    size_t count = 0;
    size_t before = levels->count;
    for (size_t i = 0; i < steps; i++) {
        double quantile = pld_beta_quantile(1 - (double)i / (double)steps, 0.6, 0.6);
        size_t index = (size_t)rint(quantile * (double)(levels->count - 1));
        if (index != before) {
            sigmas[count++] = pld_training_sigma(levels, index);
        }
        before = index;
    }
    return count;
}

static const pld_sigma_schedule discrete = {"discrete", "the noise levels of the visited timesteps",
                                            PLD_FIELD_COUNT, NULL, NULL};
static const pld_sigma_schedule karras = {"karras", "denser at low noise (Karras et al. 2022, rho 7)",
                                          PLD_FIELD_USE_KARRAS_SIGMAS, place_karras, NULL};
static const pld_sigma_schedule exponential = {"exponential", "equally spaced in log sigma",
                                               PLD_FIELD_USE_EXPONENTIAL_SIGMAS, place_exponential, NULL};
static const pld_sigma_schedule beta = {"beta", "denser at both ends (Beta(0.6, 0.6) quantiles)",
                                        PLD_FIELD_USE_BETA_SIGMAS, place_beta, NULL};
static const pld_sigma_schedule simple = {"simple",
                                          "equal whole strides over the training levels, from the noisiest",
                                          PLD_FIELD_COUNT, NULL, pick_simple};
static const pld_sigma_schedule normal = {"normal", "equally spaced in time, both ends included",
                                          PLD_FIELD_COUNT, NULL, pick_normal};
static const pld_sigma_schedule sgm_uniform = {"sgm_uniform", "equally spaced in time, the last end left out",
                                               PLD_FIELD_COUNT, NULL, pick_sgm_uniform};
static const pld_sigma_schedule ddim_uniform = {
    "ddim_uniform",
    "equal whole strides over the training levels, from the cleanest; sometimes more levels than steps",
    PLD_FIELD_COUNT, NULL, pick_ddim_uniform};
static const pld_sigma_schedule beta_uniform = {
    "beta_uniform", "training levels at Beta(0.6, 0.6) quantiles (ComfyUI's beta)", PLD_FIELD_COUNT, NULL,
    pick_beta_uniform};

static const pld_sigma_schedule *const rows[] = {&discrete,     &karras, &exponential, &beta,
                                                 &simple,       &normal, &sgm_uniform, &ddim_uniform,
                                                 &beta_uniform, NULL};

const pld_sigma_schedule *const *pld_sigma_schedules(void) {
    return rows;
}

const pld_sigma_schedule *pld_sigma_schedule_find(const char *name) {
    for (size_t i = 0; rows[i]; i++) {
        if (strcmp(rows[i]->name, name) == 0) {
            return rows[i];
        }
    }
    return NULL;
}

/** Whether a configuration switches a row on. */
static bool selected(const pld_scheduler_config *config, const pld_sigma_schedule *row) {
    switch (row->field) {
    case PLD_FIELD_USE_KARRAS_SIGMAS:
        return config->use_karras_sigmas;
    case PLD_FIELD_USE_EXPONENTIAL_SIGMAS:
        return config->use_exponential_sigmas;
    case PLD_FIELD_USE_BETA_SIGMAS:
        return config->use_beta_sigmas;
    default:
        return false;
    }
}

const pld_sigma_schedule *pld_sigma_schedule_of(const pld_scheduler_config *config) {
    for (size_t i = 1; rows[i]; i++) {
        if (selected(config, rows[i])) {
            return rows[i];
        }
    }
    return rows[0];
}
