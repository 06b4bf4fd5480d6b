/* SPDX-License-Identifier: Apache-2.0 */
/** A network as the program knows it: a class of diffusers or transformers is a row.
 *
 *  A row says how a configuration is read, how the network is written down as a plan, what is known of it without running
 *  it (its facts), and under which names files hold its weights. Configurations are opaque to everything but the folder of
 *  their network.
 *
 *      models/unet/   config.c     config.json → configuration
 *                     network.c    configuration → plan
 *                     names.c      how files call its tensors
 *                     describe.c   tensors → the config.json that a folder would have
 *                     class.c      the row
 */
#ifndef PLD_MODELS_PART_H
#define PLD_MODELS_PART_H

#include <jansson.h>

#include "io/json/read.h"
#include "io/tensors/weight_files.h"
#include "models/layouts/names.h"

/** What a part does in a model. */
typedef enum pld_part_role {
    PLD_ROLE_TEXT_ENCODER,
    PLD_ROLE_CONDITIONER, /**< between text encoders and denoiser */
    PLD_ROLE_DENOISER,
    PLD_ROLE_AUTOENCODER,
    PLD_ROLE_COUNT
} pld_part_role;

typedef struct pld_part_class pld_part_class;
typedef struct pld_published pld_published;                   /* models/published.h */
typedef struct pld_told_prediction pld_told_prediction;       /* models/prediction.h */
typedef struct pld_denoiser pld_denoiser;                     /* models/denoiser.h */
typedef struct pld_text_encoder_class pld_text_encoder_class; /* models/text_encoder.h */
typedef struct pld_conditioner pld_conditioner;               /* models/conditioner.h */
typedef struct pld_autoencoder pld_autoencoder;               /* models/autoencoder.h */

/** One way in which files hold a network of a class. */
typedef struct pld_part_layout {
    /** the part of a family that it is by its prefix: "unet", "text_encoder_2"; NULL: whichever is of its class, as T5 is
     * the first text encoder of one family and the second of another */
    const char *part;
    const char *naming;         /**< for people: "latent diffusion", "OpenCLIP", "diffusers" */
    const char *prefix;         /**< before every name */
    const pld_name_rule *names; /**< behind the prefix */
    const char *mark;           /**< a tensor behind the prefix that only this layout has */
    /** where {n-a} counts down from the last level: a tensor of each level, its number as %d, in this layout and in
     * diffusers'; else NULL */
    const char *levels, *diffusers_levels;
    /** how names of numbered layers begin in diffusers' layout and in this one, where a file may hold more of them than the
     * configuration has, which are left out; else NULL */
    const char *layers, *own_layers;
} pld_part_layout;

/** A piece of a name that no network of the class has: one that has it resembles the class and is something else. */
typedef struct pld_stranger {
    const char *piece;
    const char *kind; /**< "a ControlNet, which is not supported" */
} pld_stranger;

/** What a configuration is described from. */
typedef struct pld_description {
    const pld_weight_files *weights; /**< under diffusers' names */
    const pld_part_layout *layout;   /**< in which the file holds them */
    const pld_published *published;  /**< the model that it is most like: says what shapes do not */
    const char *part;                /**< its name in the family: "text_encoder_2" */
    const char *prediction;          /**< of a denoiser, "epsilon" */
} pld_description;

/** A row of pld_part_classes. */
struct pld_part_class {
    const char *name;  /**< "UNet2DConditionModel", as configurations name it */
    const char *title; /**< for people: "U-Net" */
    const char *const
        *other_names; /**< of classes that are this network with a last layer that is not needed,
                                     * "Gemma2ForCausalLM"; NULL-terminated; may be NULL */
    const char
        *model_type; /**< of a class of transformers, as its configurations have it; NULL: one of diffusers */
    pld_part_role role;
    size_t config_bytes;            /**< of its configuration, which holds no pointers */
    pld_json_reader read;           /**< config.json → configuration */
    const pld_part_layout *layouts; /**< those that are tried first stand first; ends with naming NULL */
    const pld_stranger *strangers;  /**< ends with piece NULL; may be NULL */
    const char *const
        *unused; /**< tensors that files may hold and the network does not read, NULL-terminated; may
                                          be NULL */
    const char *const *unsaved; /**< those of them that a diffusers folder does not hold, likewise */
    /** How diffusers' names begin (or, with a dot in front, what stands in them) of tensors that stay in 16 bits where the other
     * matrices of linear layers are written in 8 or fewer: first and last layers, and what is looked up. NULL-terminated;
     * NULL: all stay. */
    const char *const *unquantised;
    /** A matrix that files may lack and then mean the identity by, so that it is written into folders, whose readers know no
     * such rule; NULL: none. */
    const char *identity;
    /** Whether two configurations mean the same network; NULL: equal bytes do. */
    bool (*same)(const void *config, const void *other);
    /** The config.json that a diffusers folder would have; the caller owns `*config`. */
    pld_status (*describe)(const pld_description *description, json_t **config, pld_error *error);
    /* one of these, by its role */
    const pld_denoiser *denoiser;
    const pld_text_encoder_class *text_encoder;
    const pld_conditioner *conditioner;
    const pld_autoencoder *autoencoder;
};

/** All classes, NULL at the end. */
extern const pld_part_class *const pld_part_classes[];

/** The row that has this name, as its own or among its other names, or NULL. */
const pld_part_class *pld_part_class_find(const char *name);

#endif
