/* SPDX-License-Identifier: Apache-2.0 */
/** The registry of model families: what a folder's model_index.json can name. */
#ifndef PLD_MODELS_FAMILIES_H
#define PLD_MODELS_FAMILIES_H

#include <stdbool.h>

typedef struct pld_family {
    const char *name;
    const char *description;
    const char *const *pipelines; /**< `_class_name` of model_index.json, NULL-terminated */
    int default_steps;
    double default_cfg_scale;
    bool stable_diffusion_rules; /**< see pld_sampling_options */
} pld_family;

/** NULL-terminated. */
extern const pld_family *const pld_families[];

/** The family of a pipeline class, or NULL. */
const pld_family *pld_family_for_pipeline(const char *pipeline);

#endif
