/* SPDX-License-Identifier: Apache-2.0 */
/** Which preset a run has, and what it changes of the options. */
#ifndef PLD_PIPELINE_GENERATE_PRESET_H
#define PLD_PIPELINE_GENERATE_PRESET_H

#include "pipeline/model/model.h"
#include "sampling/preset.h"

/** The preset that a model asks for by itself: through the name of a LoRA of it, what its scheduler
 *  configuration states, its files' metadata, or their names, in this order. NULL: none. `*reason` says
 * which, for messages ("the name of sdxl_lightning_4step_lora.safetensors"), in `text`. */
const pld_preset *pld_model_preset(const pld_model *model, char *text, size_t size);

/** Fill in what `options` leave open. A preset's timesteps count only with its number of steps, its sampler's
 * eta only with its sampler. */
void pld_preset_fill(const pld_preset *preset, pld_generate_options *options);

#endif
