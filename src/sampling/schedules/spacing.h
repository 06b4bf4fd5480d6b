/* SPDX-License-Identifier: Apache-2.0 */
/** Registry of the ways to pick n of the training timesteps. */
#ifndef PLD_SAMPLING_SCHEDULES_SPACING_H
#define PLD_SAMPLING_SCHEDULES_SPACING_H

#include "sampling/scheduler_config.h"

/** What is to be spaced. */
typedef struct pld_spacing_request {
    size_t steps;
    size_t train_timesteps;
    size_t last_timestep; /**< one past the largest that may be used; below train_timesteps when clipped */
    bool skip_zero;       /**< multistep solvers: n + 1 points of which the smallest is left out */
    int64_t offset;       /**< added by "leading" */
} pld_spacing_request;

/** One row: what `--spacing` names. */
typedef struct pld_spacing {
    const char *name;
    const char *description;
    pld_timestep_spacing value;
    /** Fill timesteps[at most request->steps], descending, not yet rounded; returns how many. */
    size_t (*place)(const pld_spacing_request *request, double *timesteps);
} pld_spacing;

/** All rows, NULL at the end. */
const pld_spacing *const *pld_spacings(void);

/** The row of this name, or NULL. */
const pld_spacing *pld_spacing_find(const char *name);

/** The row of a configuration's value. */
const pld_spacing *pld_spacing_of(pld_timestep_spacing value);

#endif
