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

/** The same for an operator that ran or was prepared. */
void pld_profile_end_operator(const struct pld_run *run, const pld_operator *op, pld_profile_level level,
                              double begin);

/** What a profile calls an operator: its kind, attentions told apart as "self_attention", "cross_attention".
 */
const char *pld_operator_label(const pld_plan *plan, const pld_operator *op);

/** Multiplications and additions of an operator's products, 0 where there are none. */
double pld_operator_work(const struct pld_run *run, const pld_operator *op);

/** Shapes of what an operator reads and writes, as text into `text`, which is returned. */
const char *pld_operator_shape(const struct pld_run *run, const pld_operator *op, char *text, size_t size);

/** The name of what runs an operator, "jit:avx2"; "" where there is no choice. After its preparation. */
const char *pld_operator_implementation(const pld_operator *op);

#endif
