/* SPDX-License-Identifier: Apache-2.0 */
/** The denoiser of Stable Diffusion: diffusers' UNet2DConditionModel with (cross-attention) down, mid and up
 * blocks (Rombach et al. 2022, arXiv 2112.10752). */
#ifndef PLD_MODELS_UNET_H
#define PLD_MODELS_UNET_H

#include "models/denoiser.h"
#include "models/unet/config.h"

/** pld_denoiser.build for a pld_unet_config. */
pld_status pld_unet_build(pld_plan *plan, const void *config, const pld_denoiser_shape *shape,
                          pld_denoiser_values *values, pld_error *error);

/** pld_denoiser.condition: add_embedding of the pooled embedding and the time ids where the configuration has it, then to_k
 * and to_v of each cross-attention. */
pld_status pld_unet_condition_build(pld_plan *plan, const void *config, const pld_condition_request *request,
                                    pld_condition_values *values, pld_error *error);

/** pld_denoiser.tell: the pooled embedding, then sinusoids of the time ids. */
void pld_unet_tell(const void *config, const float *pooled, const pld_picture_facts *picture, float *told);

pld_status pld_unet_recognise(const pld_weight_files *unet, const char **published, pld_error *error);
pld_status pld_unet_tell_prediction(const pld_weight_files *files, const pld_weight_files *unet,
                                    const pld_published *published, pld_told_prediction *told,
                                    pld_error *error);
pld_status pld_unet_describe(const pld_description *description, json_t **config, pld_error *error);

/** Names behind the prefix; each table ends with a row of NULL. */
extern const pld_name_rule pld_unet_names[];           /**< LDM's UNetModel: SD 1, SD 2, SDXL */
extern const pld_name_rule pld_diffusers_unet_names[]; /**< as they are */

#endif
