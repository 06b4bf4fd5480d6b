/* SPDX-License-Identifier: Apache-2.0 */
/** The classes that configurations name: which are supported, and what those are that are known and not
 * supported. A file that names another class than the one that will read it is refused, since its weights
 * mean something else even where names and shapes agree.
 */
#ifndef PLD_MODELS_CLASSES_H
#define PLD_MODELS_CLASSES_H

#include <stdbool.h>

#include "io/json.h"

/** What a class is for. */
typedef enum pld_class_role {
    PLD_CLASS_PIPELINE,
    PLD_CLASS_DENOISER,
    PLD_CLASS_AUTOENCODER,
    PLD_CLASS_TEXT_ENCODER,
    PLD_CLASS_TOKENIZER,
    PLD_CLASS_SCHEDULER,
    PLD_CLASS_ANY /**< of rows that name a family: its pipelines and networks begin alike */
} pld_class_role;

/** A row: a class, or with a star at the end of its name all that begin so. */
typedef struct pld_class {
    const char *name;
    pld_class_role role;
    const char *is; /**< "a ControlNet", for people; NULL: supported */
} pld_class;

/** The row for a class, or NULL when it is not known. Pipelines and schedulers that are supported have no
 * row: families and samplers list theirs. */
const pld_class *pld_class_find(const char *name);

/** PLD_OK for a supported class of this role. Otherwise PLD_ERROR_UNSUPPORTED, which names file, field and
 * class, what that is if it is known, and what was expected. */
pld_status pld_class_check(const pld_json *at, const char *field, const char *name, pld_class_role role,
                           pld_error *error);

/** The same for the string at `field`, which may be absent or null: nothing is said then. */
pld_status pld_class_check_field(const pld_json *at, const char *field, pld_class_role role,
                                 pld_error *error);

/** The same for transformers' configurations: every name in the list `architectures`, and `model_type`. */
pld_status pld_class_check_architecture(const pld_json *at, pld_class_role role, pld_error *error);

#endif
