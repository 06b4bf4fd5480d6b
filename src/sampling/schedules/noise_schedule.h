/* SPDX-License-Identifier: Apache-2.0 */
/** How much of the signal is left at each training timestep. */
#ifndef PLD_SAMPLING_SCHEDULES_NOISE_SCHEDULE_H
#define PLD_SAMPLING_SCHEDULES_NOISE_SCHEDULE_H

#include "sampling/scheduler_config.h"

/** alphas_cumprod[num_train_timesteps] = Π (1 − β), from the configuration's betas (Ho et al. 2020, arXiv
 *  2006.11239, eq. 4), rescaled to end at zero if it says so. PLD_ERROR_FORMAT when the betas leave [0, 1]
 *  or their number is wrong. */
pld_status pld_alphas_cumprod(const pld_scheduler_config *config, float *alphas_cumprod, pld_error *error);

/** Noise levels σ = √((1 − ᾱ)/ᾱ) of the training timesteps and their logarithms, ascending. */
typedef struct pld_sigma_table {
    size_t count;      /**< num_train_timesteps */
    float *sigmas;     /**< [count] */
    float *log_sigmas; /**< [count] */
} pld_sigma_table;

/** Build the table of alphas_cumprod[count]. Where betas were rescaled to zero terminal SNR the last ᾱ is
 *  lifted to 2⁻²⁴ first, in place, so that its σ is finite. PLD_ERROR_FORMAT when a σ is zero, infinite or
 *  below its predecessor. */
pld_status pld_sigma_table_create(const pld_scheduler_config *config, float *alphas_cumprod, size_t count,
                                  pld_sigma_table *table, pld_error *error);

void pld_sigma_table_clear(pld_sigma_table *table);

/** σ at a timestep, linear between neighbours, constant beyond the ends. */
double pld_sigma_of_timestep(const pld_sigma_table *table, double timestep);

/** The timestep whose σ this is, linear in log σ between neighbours, in [0, count − 1]. */
double pld_timestep_of_sigma(const pld_sigma_table *table, double sigma);

#endif
