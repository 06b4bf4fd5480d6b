/* SPDX-License-Identifier: Apache-2.0 */
/** Finding reference cases: folders with case.json and tensors.safetensors. A folder of reference data may
 * hold families and kinds that a test does not know, so a test names those that it wants and sees no others.
 */
#ifndef PLD_TESTS_REFERENCE_CASES_H
#define PLD_TESTS_REFERENCE_CASES_H

#include <jansson.h>

/** The folder of the source tree with models/ and cases/: its cases are always compared. */
const char *reference_tree(void);

/** A further folder of the same layout, $PLADIS_REFERENCE_CASES, whose cases are compared beside the tree's; NULL where it is
 * not set or holds no cases, and once a program a line says so. */
const char *reference_more(void);

/** Path below such a folder, in a buffer of the call's own; valid until the next 8 calls. */
const char *reference_path(const char *root, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** A case that was found. */
typedef struct reference_found {
    const char *root, *name; /**< its files lie in ROOT/cases/NAME, its model in ROOT/models */
    const json_t *info;      /**< its case.json */
} reference_found;

typedef void reference_visit(const reference_found *found, void *user);

/** Call `visit` with every case of this kind and model (NULL: any) below `root`, in alphabetical order. Of other cases nothing but
 * case.json is read; one that cannot be read is passed over, and a line says so. Returns how many were visited. */
int reference_each_below(const char *root, const char *kind, const char *model, reference_visit *visit,
                         void *user);

/** The same for the tree and then for the further folder, without those cases of the latter that are the tree's, byte for
 * byte. Returns how many of the tree were visited. */
int reference_each(const char *kind, const char *model, reference_visit *visit, void *user);

/** The sampler of a generation, "" when its case.json names none. */
const char *reference_sampler(const json_t *info);

/** Say that a case is passed over, as one of another folder than the source tree's may be; of those in the
 * tree every one is known, so the program ends with a failure. */
void reference_pass_over(const char *root, const char *name, const char *why);

#endif
