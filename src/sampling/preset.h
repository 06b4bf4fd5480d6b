/* SPDX-License-Identifier: Apache-2.0 */
/** Presets: how a distilled model is sampled. Each is one row; what is not stated stays the model's own, and
 * what a person asks for comes before both. */
#ifndef PLD_SAMPLING_PRESET_H
#define PLD_SAMPLING_PRESET_H

#include <stdbool.h>
#include <stddef.h>

/** One row of the registry: what `--preset` names. */
typedef struct pld_preset {
    const char *name;
    const char *description;     /**< with the source of the figures */
    const char *sampling_method; /**< a sampler's name */
    const char *spacing;         /**< NULL: the sampler's */
    const char *prediction;      /**< "x0"; NULL: the model's */
    const double *timesteps;     /**< [timestep_count]; NULL: from the spacing */
    size_t timestep_count;
    int steps;
    double cfg_scale; /**< 1: no classifier-free guidance */
    double eta;       /**< NaN: the sampler's */
    int size;         /**< width and height in pixels; 0: the model's own */
    /** Words that a file's name must all have to suggest the preset; alternatives stand between bars. "4step"
     * also finds 4-step and 4_steps. */
    const char *words;
    const char *scheduler_class; /**< of a folder whose scheduler says that the model is one of these; a
                                    preset with a spacing wants that stated too; NULL: none says so */
    const char *family;          /**< that the model must have for either; NULL: any */
    bool distilled; /**< a folder of that family that says of itself that it is distilled suggests it */
    bool
        unshifted; /**< and it must not shift the levels by the picture's tokens, as the scheduler of the model that was
                       distilled does */
    double
        shift; /**< of the noise levels; a folder's scheduler must state just this, too, if it has no other mark; 0: the
                     model's own */
} pld_preset;

/** All rows, NULL at the end. */
const pld_preset *const *pld_presets(void);

/** The row of this name, or NULL. */
const pld_preset *pld_preset_find(const char *name);

/** The preset that a file's name (or a title) suggests for a model of this family: the one with the most words in it, of these the
 * family's own, or NULL. */
const pld_preset *pld_preset_suggested(const char *file_name, const char *family);

#endif
