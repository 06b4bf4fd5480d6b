/* SPDX-License-Identifier: Apache-2.0 */
/** What files hold: which parts of a model, under which names. Recognised by the tensors alone; a file's name
 *  means nothing. A layout is a row of a table. */
#ifndef PLD_MODELS_LAYOUTS_H
#define PLD_MODELS_LAYOUTS_H

#include "io/weight_files.h"
#include "models/layouts/names.h"

/** One way in which files hold a part of a model. */
typedef struct pld_part_layout {
    const char *part;           /**< its folder in diffusers: "unet", "text_encoder_2" */
    const char *naming;         /**< for people: "latent diffusion", "OpenCLIP", "diffusers" */
    const char *prefix;         /**< before every name */
    const pld_name_rule *names; /**< behind the prefix */
    const char *mark;           /**< a tensor behind the prefix that only this layout has */
} pld_part_layout;

enum { PLD_MOST_LAYOUT_PARTS = 4 };

/** What was found in a file. Borrows the file. */
typedef struct pld_layout_contents {
    const pld_weight_files *files;
    const pld_part_layout *parts[PLD_MOST_LAYOUT_PARTS]; /**< [count], each part once */
    int count;
    size_t passed_over;        /**< tensors that are known to play no part (moving averages, schedules) */
    size_t unknown;            /**< tensors that belong to nothing that was found */
    const char *first_unknown; /**< NULL without one */
    const char *stranger;      /**< what a network is that resembles a part and is none; NULL without one */
} pld_layout_contents;

/** Look a file through. Finds no parts in a file of another kind. */
void pld_layout_detect(const pld_weight_files *files, pld_layout_contents *contents);

/** The layout of a part, or NULL when the file does not hold it. */
const pld_part_layout *pld_layout_find(const pld_layout_contents *contents, const char *part);

/** The tensors of one part under diffusers' names. `layers`: blocks of a text encoder from this number on are
 *  left out (0: all stay). The caller closes `*view`. */
pld_status pld_layout_view(const pld_weight_files *files, const pld_part_layout *layout, int64_t layers,
                           pld_weight_files **view, pld_error *error);

/** The n of {n-a} in the names of this part: the coarsest level of an autoencoder. */
int pld_layout_last(const pld_weight_files *files, const pld_part_layout *layout);

/** The layout in which single files of a family hold a part: rows in the order of preference. Family "sd1",
 *  "sd2" or "sdxl"; NULL when it has no such part. */
const pld_part_layout *pld_layout_original(const char *family, const char *part);

/** Whether a tensor of the whole file, such as `model_ema.decay`, is known to play no part. */
bool pld_layout_passes_over(const char *name);

/** What a file without any part of ours is ("a LoRA …", "FLUX …"), for "found …"; NULL: not recognised. */
const char *pld_layout_other_kind(const pld_layout_contents *contents);

#endif
