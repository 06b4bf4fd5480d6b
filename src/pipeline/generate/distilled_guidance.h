/* SPDX-License-Identifier: Apache-2.0 */
/** The guidance scale that guidance-distilled networks are told (Meng et al. 2022, arXiv 2210.03142), as
 *  `distilled-guidance` or as a bare number among the guidance methods. */
#ifndef PLD_PIPELINE_GENERATE_DISTILLED_GUIDANCE_H
#define PLD_PIPELINE_GENERATE_DISTILLED_GUIDANCE_H

#include "pipeline/generate/generation.h"

/** Set g->distilled_guidance: what is asked for, else the model's own. PLD_ERROR_ARGUMENT for one out of range, and where
 * the model is told of none. */
pld_status pld_distilled_guidance_resolve(pld_generation *g);

/** The options' guidance texts without bare numbers, as a new list [*count] of the same strings, to be freed with
 * pld_free. */
pld_status pld_distilled_guidance_leave_out(const pld_generation *g, const char ***texts, size_t *count);

#endif
