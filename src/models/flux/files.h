/* SPDX-License-Identifier: Apache-2.0 */
/** Files of FLUX.1's transformer: Black Forest Labs' names, which ComfyUI and most others keep, and diffusers'. */
#ifndef PLD_MODELS_FLUX_FILES_H
#define PLD_MODELS_FLUX_FILES_H

#include "models/part.h"

/** Names behind the prefix: Black Forest Labs' and diffusers'. */
extern const pld_name_rule pld_flux_names[], pld_diffusers_flux_names[];

/** pld_part_class.layouts, of which the first has Black Forest Labs' names, as LoRAs do; and .strangers */
extern const pld_part_layout pld_flux_layouts[];
extern const pld_stranger pld_flux_strangers[];

/** pld_part_class.describe */
pld_status pld_flux_describe(const pld_description *description, json_t **config, pld_error *error);

/** pld_denoiser.recognise: with a guidance embedding it is dev ("flux-dev"), else schnell ("flux-schnell"). Fill, Control and
 * Kontext are refused by name. */
pld_status pld_flux_recognise(const pld_weight_files *weights, const char **published, pld_error *error);

#endif
