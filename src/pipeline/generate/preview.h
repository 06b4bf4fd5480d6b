/* SPDX-License-Identifier: Apache-2.0 */
/** A rough picture of what a generation is on its way to, from the latents alone. */
#ifndef PLD_PIPELINE_GENERATE_PREVIEW_H
#define PLD_PIPELINE_GENERATE_PREVIEW_H

#include "pipeline/generate/generation.h"

/** Where call `call` ends a step and somebody listens: show him the estimate of x0 that the guided prediction
 * makes of the latents before the sampler moves them, in colours by a linear map of the latents' channels. */
pld_status pld_preview_show(pld_generation *g, size_t call);

#endif
