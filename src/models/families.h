/* SPDX-License-Identifier: Apache-2.0 */
/** The registry of model families: what a folder's model_index.json can name, and of which parts it is made.
 */
#ifndef PLD_MODELS_FAMILIES_H
#define PLD_MODELS_FAMILIES_H

#include <stdbool.h>

enum { PLD_MAX_PARTS = 8, PLD_MAX_TEXT_ENCODERS = 2 };

/** What a part does: decides how its configuration is read and its weights are bound. */
typedef enum pld_part_role {
    PLD_ROLE_TEXT_ENCODER,
    PLD_ROLE_DENOISER,
    PLD_ROLE_AUTOENCODER,
    PLD_ROLE_COUNT
} pld_part_role;

/** One component of a family, as a diffusers folder names it. */
typedef struct pld_family_part {
    const char *name; /**< its folder, "text_encoder_2" */
    const char *kind; /**< its class, "CLIPTextModel" */
    const char *stem; /**< how its weight files begin, "model" */
    pld_part_role role;
    const char *tokenizer; /**< of a text encoder: folder of its tokenizer */
    bool pooled;           /**< of a text encoder: its pooled, projected embedding is wanted too */
} pld_family_part;

typedef struct pld_family {
    const char *name;
    const char *description;
    const char *const *pipelines; /**< `_class_name` of model_index.json, NULL-terminated */
    const pld_family_part *parts; /**< [part_count], at most PLD_MAX_PARTS; one denoiser, one autoencoder */
    int part_count;
    int text_skip;        /**< layers of the text encoders that are left out at a clip-skip of 1 */
    bool text_final_norm; /**< text states go through the final norm */
    bool zero_negative;   /**< no negative prompt is zeros, unless model_index.json's
                             force_zeros_for_empty_prompt   says otherwise */
    int sample_size;      /**< side of the latents where the U-Net's configuration states none */
    int default_steps;
    double default_cfg_scale;
    const double (*latent_rgb)[3]; /**< [5] for four latent channels: red, green, blue of each and of none, in
                                      −1…1; or NULL */
    bool stable_diffusion_rules;   /**< see pld_sampling_options */
} pld_family;

/** NULL-terminated. */
extern const pld_family *const pld_families[];

/** The family of a pipeline class, or NULL. */
const pld_family *pld_family_for_pipeline(const char *pipeline);

#endif
