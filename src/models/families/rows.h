/* SPDX-License-Identifier: Apache-2.0 */
/** What the rows of families name: classes. */
#ifndef PLD_MODELS_FAMILIES_ROWS_H
#define PLD_MODELS_FAMILIES_ROWS_H

#include "models/families.h"

extern const pld_part_class pld_class_anima_conditioner;
extern const pld_part_class pld_class_cosmos;
extern const pld_part_class pld_class_clip_text, pld_class_clip_text_projection;
extern const pld_part_class pld_class_flux, pld_class_flux2;
extern const pld_part_class pld_class_gemma2;
extern const pld_part_class pld_class_pixart;
extern const pld_part_class pld_class_qwen3;
extern const pld_part_class pld_class_sana;
extern const pld_part_class pld_class_sd3;
extern const pld_part_class pld_class_t5;
extern const pld_part_class pld_class_unet;
extern const pld_part_class pld_class_zimage;
extern const pld_part_class pld_class_kl, pld_class_kl_flux2, pld_class_dc, pld_class_qwen_vae;

extern const pld_family pld_family_anima;
extern const pld_family pld_family_flux;
extern const pld_family pld_family_flux2, pld_family_flux2_dev;
extern const pld_family pld_family_pixart;
extern const pld_family pld_family_sana;
extern const pld_family pld_family_sd3;
extern const pld_family pld_family_stable_diffusion, pld_family_stable_diffusion_xl;
extern const pld_family pld_family_zimage;

#endif
