/* SPDX-License-Identifier: Apache-2.0 */
/** Guidance methods: which branches of the network run, and how their predictions become one.
 *
 *  Each is a row of the registry. Predictions are [count] numbers of one picture, in any layout.
 */
#ifndef PLD_SAMPLING_GUIDANCE_H
#define PLD_SAMPLING_GUIDANCE_H

#include <stddef.h>

#include "core/branch.h"

typedef struct pld_guidance_options {
    double cfg_scale;   /**< s */
    double cfg_rescale; /**< φ in [0, 1] */
} pld_guidance_options;

typedef struct pld_guidance {
    const char *name;
    const char *description; /**< formula, paper */
    int branch_count;
    pld_branch branches[PLD_BRANCH_COUNT]; /**< rows of the evaluation, in this order */
    /** predictions[i] is that of branches[i]; the result goes to noise_pred [count]. */
    void (*combine)(const pld_guidance_options *options, const float *const *predictions, size_t count,
                    float *noise_pred);
} pld_guidance;

/** NULL-terminated. */
extern const pld_guidance *const pld_guidances[];
extern const pld_guidance pld_guidance_none;
extern const pld_guidance pld_guidance_cfg;

/** The row that a scale asks for: none for s <= 1, as in diffusers. */
const pld_guidance *pld_guidance_for_scale(double cfg_scale);

#endif
