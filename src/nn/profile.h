/* SPDX-License-Identifier: Apache-2.0 */
/** Recording of spans; what they are stands in <pladis/profile.h>. */
#ifndef PLD_NN_PROFILE_H
#define PLD_NN_PROFILE_H

#include "core/clock.h"
#include "nn/plan.h"
#include "pladis/profile.h"

/** When a span begins; 0 without a profile, whose cost is then this test. */
static inline double pld_profile_now(const pld_profile *profile) {
    return profile ? pld_seconds() : 0;
}

/** Note a span that began at `begin` (of pld_profile_now) and ends now. Nothing happens without a profile. */
void pld_profile_end(pld_profile *profile, pld_profile_level level, const char *network, const char *name,
                     double begin);

/** An operator that ran or was prepared. */
typedef struct pld_profiled_operator {
    const pld_plan *plan;
    const pld_operator *op;
    pld_text_lengths texts;
    const char *implementation; /**< what ran it, "winograd"; "" where there is no choice */
} pld_profiled_operator;

/** pld_profile_end for an operator. */
void pld_profile_end_operator(pld_profile *profile, const pld_profiled_operator *what,
                              pld_profile_level level, double begin);

#endif
