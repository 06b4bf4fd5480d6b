/* SPDX-License-Identifier: Apache-2.0 */
/** Registry of the ways to place noise levels: between the largest and the smallest, as diffusers does, or
 * among those that the model was trained at, as ComfyUI does. */
#ifndef PLD_SAMPLING_SCHEDULES_SIGMA_SCHEDULES_H
#define PLD_SAMPLING_SCHEDULES_SIGMA_SCHEDULES_H

#include "sampling/scheduler_config.h"
#include "sampling/schedules/training_levels.h"

/** One row: what `--scheduler` names. */
typedef struct pld_sigma_schedule {
    const char *name;
    const char *description;
    pld_scheduler_field field; /**< the configuration's switch; PLD_FIELD_COUNT: none of them */
    /** Fill sigmas[count], descending from sigma_max to sigma_min. */
    void (*place)(double sigma_min, double sigma_max, size_t count, double *sigmas);
    /** Fill sigmas[at most levels->count or `steps`, whichever is more], descending and without the 0 at the
     *  end; returns how many, which need not be `steps`. NULL beside a NULL place: the timesteps' levels. */
    size_t (*pick)(const pld_training_levels *levels, size_t steps, double *sigmas);
} pld_sigma_schedule;

/** All rows, NULL at the end; the first is "discrete". */
const pld_sigma_schedule *const *pld_sigma_schedules(void);

/** The row of this name, or NULL. */
const pld_sigma_schedule *pld_sigma_schedule_find(const char *name);

/** The row that a configuration selects. */
const pld_sigma_schedule *pld_sigma_schedule_of(const pld_scheduler_config *config);

#endif
