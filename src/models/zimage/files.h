/* SPDX-License-Identifier: Apache-2.0 */
/** Files of Z-Image's transformer: its authors' names, which ComfyUI and most others keep, and diffusers'. */
#ifndef PLD_MODELS_ZIMAGE_FILES_H
#define PLD_MODELS_ZIMAGE_FILES_H

#include "models/part.h"

/** pld_part_class.layouts, of which the first has the authors' names, as LoRAs do; .strangers and .unused */
extern const pld_part_layout pld_zimage_layouts[];
extern const pld_stranger pld_zimage_strangers[];
extern const char *const pld_zimage_unused[];

/** pld_part_class.describe */
pld_status pld_zimage_describe(const pld_description *description, json_t **config, pld_error *error);

/** pld_denoiser.recognise: Z-Image ("z-image") and Z-Image-Turbo ("z-image-turbo") have the same tensors; the latter is told by
 * the word in what its file is called or says of itself. */
pld_status pld_zimage_recognise(const pld_weight_files *weights, const char **published, pld_error *error);

#endif
