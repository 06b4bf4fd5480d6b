/* SPDX-License-Identifier: Apache-2.0 */
/** Files of Stable Diffusion 3's transformer: Stability AI's names, which ComfyUI and most others keep, and diffusers'. */
#ifndef PLD_MODELS_SD3_FILES_H
#define PLD_MODELS_SD3_FILES_H

#include "models/part.h"

/** Names behind the prefix: Stability AI's and diffusers'. */
extern const pld_name_rule pld_sd3_names[], pld_diffusers_sd3_names[];

/** pld_part_class.layouts, of which the first has Stability AI's names, as LoRAs do; and .strangers */
extern const pld_part_layout pld_sd3_layouts[];
extern const pld_stranger pld_sd3_strangers[];

/** pld_part_class.describe */
pld_status pld_sd3_describe(const pld_description *description, json_t **config, pld_error *error);

/** pld_denoiser.recognise: without norms of its heads it is 3.0 medium ("sd3-medium"), with a second attention 3.5 medium
 * ("sd3.5-medium"), else 3.5 large ("sd3.5-large"), whose turbo has the same tensors. */
pld_status pld_sd3_recognise(const pld_weight_files *weights, const char **published, pld_error *error);

#endif
