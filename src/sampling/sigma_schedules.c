/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling/sigma_schedules.h"

#include <math.h>
#include <string.h>

#include "sampling/beta_distribution.h"
#include "sampling/float_math.h"

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

static const pld_sigma_schedule discrete = {"discrete", "the noise levels of the visited timesteps",
                                            PLD_FIELD_COUNT, NULL};
static const pld_sigma_schedule karras = {"karras", "denser at low noise (Karras et al. 2022, rho 7)",
                                          PLD_FIELD_USE_KARRAS_SIGMAS, place_karras};
static const pld_sigma_schedule exponential = {"exponential", "equal distances in log sigma",
                                               PLD_FIELD_USE_EXPONENTIAL_SIGMAS, place_exponential};
static const pld_sigma_schedule beta = {"beta", "denser at both ends (Beta(0.6, 0.6) quantiles)",
                                        PLD_FIELD_USE_BETA_SIGMAS, place_beta};

static const pld_sigma_schedule *const rows[] = {&discrete, &karras, &exponential, &beta, NULL};

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
