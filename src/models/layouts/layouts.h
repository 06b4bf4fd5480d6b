/* SPDX-License-Identifier: Apache-2.0 */
/** What files hold: which parts of a model, under which names. Recognised by the tensors alone; a file's name
 *  means nothing. The layouts of a network stand in the row of its class. */
#ifndef PLD_MODELS_LAYOUTS_H
#define PLD_MODELS_LAYOUTS_H

#include "io/tensors/weight_files.h"
#include "models/part.h"

enum { PLD_MOST_LAYOUT_PARTS = 8 };

/** A network that was found in a file. */
typedef struct pld_layout_part {
    const pld_part_class *class;
    const pld_part_layout *layout;
} pld_layout_part;

/** What was found in a file. Borrows the file. */
typedef struct pld_layout_contents {
    const pld_weight_files *files;
    pld_layout_part parts[PLD_MOST_LAYOUT_PARTS]; /**< [count], each part once */
    int count;
    size_t passed_over;        /**< tensors that are known to play no part (moving averages, schedules) */
    size_t unknown;            /**< tensors that belong to nothing that was found */
    const char *first_unknown; /**< NULL without one */
    const char *stranger; /**< what a network is that only resembles a part ("a ControlNet …"), or NULL */
} pld_layout_contents;

/** Look a file through. Finds no parts in a file of another kind. */
void pld_layout_detect(const pld_weight_files *files, pld_layout_contents *contents);

/** The part of this name and of the network of `class`, or NULL when the file does not hold it. Where a layout names no
 * part, the class decides. */
const pld_layout_part *pld_layout_find(const pld_layout_contents *contents, const char *part,
                                       const pld_part_class *class);

/** The first part with this role, or NULL. */
const pld_layout_part *pld_layout_find_role(const pld_layout_contents *contents, pld_part_role role);

/** The tensors of one part under diffusers' names. `layers`: numbered layers from this number on are left out
 *  (0: all stay). The caller closes `*view`. */
pld_status pld_layout_view(const pld_weight_files *files, const pld_part_layout *layout, int64_t layers,
                           pld_weight_files **view, pld_error *error);

/** The layout of the network of a class with this prefix; NULL when it has none. */
const pld_part_layout *pld_layout_with_prefix(const pld_part_class *class, const char *part,
                                              const char *prefix);

/** The n of {n-a} in the names of a layout: the last level that `files` have in it. */
int pld_layout_last(const pld_weight_files *files, const pld_part_layout *layout);
/** The same of weights under diffusers' names. */
int pld_layout_last_of_view(const pld_weight_files *view, const pld_part_layout *layout);

/** Whether a tensor of the whole file, such as `model_ema.decay`, is known to play no part. */
bool pld_layout_passes_over(const char *name);

/** What a file is that holds no part of ours, or a network that only resembles one ("a LoRA …", "FLUX …"), for
 * "found …"; NULL: not recognised. */
const char *pld_layout_other_kind(const pld_layout_contents *contents);

#endif
