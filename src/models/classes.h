/* SPDX-License-Identifier: Apache-2.0 */
/** The classes that configurations name: which are supported, and what those are that are known and not
 * supported. A file that names another class than the one that will read it is refused, since its weights
 * mean something else even where names and shapes agree.
 */
#ifndef PLD_MODELS_CLASSES_H
#define PLD_MODELS_CLASSES_H

#include <stdbool.h>

#include "models/part.h"

/** What a class is for. */
typedef enum pld_class_role {
    PLD_CLASS_PIPELINE,
    PLD_CLASS_DENOISER,
    PLD_CLASS_AUTOENCODER,
    PLD_CLASS_TEXT_ENCODER,
    PLD_CLASS_CONDITIONER,
    PLD_CLASS_TOKENIZER,
    PLD_CLASS_SCHEDULER,
    PLD_CLASS_ANY /**< of rows that name a family: its pipelines and networks begin alike */
} pld_class_role;

/** A row: a class that is no part's, or with a star at the end of its name all that begin so. */
typedef struct pld_class {
    const char *name;
    pld_class_role role;
    const char *is; /**< "a ControlNet", for people; NULL: supported */
    bool is_own;    /**< of a tokenizer: of one kind of text encoder alone */
} pld_class;

/** The row for a class, or NULL when it is not known. Parts, pipelines and schedulers that are supported have no row:
 * pld_part_classes, families and samplers list them. */
const pld_class *pld_class_find(const char *name);

/** What a part's class is for. */
pld_class_role pld_class_role_of(const pld_part_class *class);

/** Whether two classes are one network under two names. */
bool pld_class_same_network(const pld_part_class *a, const pld_part_class *b);

/** PLD_OK for a supported class of this role. Otherwise PLD_ERROR_UNSUPPORTED, which names file, field and
 * class, what that is if it is known, and what was expected. */
pld_status pld_class_check(const pld_json *at, const char *field, const char *name, pld_class_role role,
                           pld_error *error);

/** The same for the network of `wanted`. */
pld_status pld_class_check_part(const pld_json *at, const char *field, const char *name,
                                const pld_part_class *wanted, pld_error *error);

/** The same for a tokenizer: one whose class begins as `wanted`, or that serves any text encoder. */
pld_status pld_class_check_tokenizer(const pld_json *at, const char *field, const char *name,
                                     const char *wanted, pld_error *error);

/** The class that a config.json names, if it names one, is `wanted`: `_class_name`, or of transformers' every name in the
 * list `architectures`, and `model_type`. */
pld_status pld_class_check_config(const pld_json *top, const pld_part_class *wanted, pld_error *error);

#endif
