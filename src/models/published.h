/* SPDX-License-Identifier: Apache-2.0 */
/** Published models of a family: what files of one network leave unsaid, since their shapes do not tell it. */
#ifndef PLD_MODELS_PUBLISHED_H
#define PLD_MODELS_PUBLISHED_H

#include "models/part.h"

/** One of its parts. */
typedef struct pld_published_part {
    const char *part;       /**< "unet": a part of the family */
    const char *class_name; /**< "CLIPTextModelWithProjection" */
    const char *
        prefix; /**< before the names of its tensors in a single file, which `convert` writes; NULL: it has no
                               place there */
    const char *states;    /**< fields of config.json that shapes do not tell, an object's JSON; NULL: none */
    const char *states_v;  /**< further ones where it predicts v; NULL: none */
    const char *pad_token; /**< of a text encoder's tokenizer */
    int unused_layers;     /**< of a text encoder, at its end, which files hold and nobody uses */
} pld_published_part;

struct pld_published {
    const char *name;                /**< "sd1" */
    const char *title;               /**< "Stable Diffusion 1" */
    const char *pipeline;            /**< diffusers' class */
    const char *index;               /**< further fields of model_index.json, an object's JSON; NULL: none */
    const char *scheduler;           /**< scheduler_config.json */
    const pld_published_part *parts; /**< ends with part NULL */
    bool marks_v;                    /**< networks that predict v carry the empty tensor v_pred */
};

/** The row of a part; NULL: the model has none of this name. */
const pld_published_part *pld_published_part_of(const pld_published *published, const char *part);

#endif
