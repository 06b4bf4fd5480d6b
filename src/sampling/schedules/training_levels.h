/* SPDX-License-Identifier: Apache-2.0 */
/** The noise levels that a model was trained at, as ComfyUI counts them: a table, and a time for each level
 *  and between them. Schedules that are rules on that table or on that time read it. */
#ifndef PLD_SAMPLING_SCHEDULES_TRAINING_LEVELS_H
#define PLD_SAMPLING_SCHEDULES_TRAINING_LEVELS_H

#include <stddef.h>

typedef struct pld_training_levels {
    size_t count;
    const float *sigmas;     /**< [count], ascending: level i has time i. NULL: a flow */
    const float *log_sigmas; /**< [count] */
    double shift; /**< of the flow: level i has σ = shift(t), t = (i + 1)/count; the time of σ is σ */
} pld_training_levels;

/** σ of level `index` in [0, count), ascending. */
double pld_training_sigma(const pld_training_levels *levels, size_t index);

/** The times of the last and of the first level. */
double pld_training_last_time(const pld_training_levels *levels);
double pld_training_first_time(const pld_training_levels *levels);

/** σ at a time. With betas log-linear between levels; of a flow shift(time), so that the σ of a level is not
 *  the σ at that level's time: what ComfyUI calls normal shifts twice, as diffusers' own line does. */
double pld_training_sigma_at_time(const pld_training_levels *levels, double time);

#endif
