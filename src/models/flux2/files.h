/* SPDX-License-Identifier: Apache-2.0 */
/** Files of FLUX.2's transformer: Black Forest Labs' names, which ComfyUI and most others keep, and diffusers'. */
#ifndef PLD_MODELS_FLUX2_FILES_H
#define PLD_MODELS_FLUX2_FILES_H

#include "models/part.h"

/** Names behind the prefix: Black Forest Labs' and diffusers'. */
extern const pld_name_rule pld_flux2_names[], pld_diffusers_flux2_names[];

/** pld_part_class.layouts, of which the first has Black Forest Labs' names, as LoRAs do; and .strangers */
extern const pld_part_layout pld_flux2_layouts[];
extern const pld_stranger pld_flux2_strangers[];

/** pld_part_class.describe */
pld_status pld_flux2_describe(const pld_description *description, json_t **config, pld_error *error);

/** pld_denoiser.recognise: with a guidance embedding it is dev ("flux2-dev"); else klein, without distillation
 * ("flux2-klein-base") where the file's name or title says "base", and with it ("flux2-klein"). */
pld_status pld_flux2_recognise(const pld_weight_files *weights, const char **published, pld_error *error);

#endif
