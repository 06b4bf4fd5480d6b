/* SPDX-License-Identifier: Apache-2.0 */
/** Registry of the ways to place noise levels between the largest and the smallest. */
#ifndef PLD_SAMPLING_SIGMA_SCHEDULES_H
#define PLD_SAMPLING_SIGMA_SCHEDULES_H

#include "sampling/scheduler_config.h"

/** One row: what `--scheduler` names. */
typedef struct pld_sigma_schedule {
    const char *name;
    const char *description;
    pld_scheduler_field field; /**< the configuration's switch; PLD_FIELD_COUNT: none of them */
    /** Fill sigmas[count], descending from sigma_max to sigma_min. NULL: the levels of the timesteps. */
    void (*place)(double sigma_min, double sigma_max, size_t count, double *sigmas);
} pld_sigma_schedule;

/** All rows, NULL at the end; the first is "discrete". */
const pld_sigma_schedule *const *pld_sigma_schedules(void);

/** The row of this name, or NULL. */
const pld_sigma_schedule *pld_sigma_schedule_find(const char *name);

/** The row that a configuration selects. */
const pld_sigma_schedule *pld_sigma_schedule_of(const pld_scheduler_config *config);

#endif
