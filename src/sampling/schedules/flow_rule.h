/* SPDX-License-Identifier: Apache-2.0 */
/** Registry of what the pipelines of flow models give their schedules: a fact of a family, beside its
 *  scheduler_config.json. */
#ifndef PLD_SAMPLING_SCHEDULES_FLOW_RULE_H
#define PLD_SAMPLING_SCHEDULES_FLOW_RULE_H

#include "sampling/scheduler_config.h"

/** One row. */
typedef struct pld_flow_rule {
    const char *name;
    const char *description;
    /** Fill sigmas[steps], descending from 1, not shifted. NULL: the line between the training ends, which
     *  the scheduler takes itself. The multistep classes take their own in any case. */
    void (*place)(size_t steps, double *sigmas);
    /** μ of a dynamic shift: e^μ is the shift (linear: μ). NULL: pld_flow_line. */
    double (*mu)(const pld_scheduler_config *config, size_t image_tokens, size_t steps);
    /** Noise levels from which the schedules simple, normal, sgm_uniform, ddim_uniform and beta_uniform pick;
     *  0: num_train_timesteps. */
    size_t training_levels;
} pld_flow_rule;

/** All rows, NULL at the end. */
const pld_flow_rule *const *pld_flow_rules(void);

/** The row of this name, or NULL. */
const pld_flow_rule *pld_flow_rule_find(const char *name);

/** μ on the line through base_shift at base_image_seq_len and max_shift at max_image_seq_len. */
double pld_flow_line(const pld_scheduler_config *config, size_t image_tokens, size_t steps);

#endif
