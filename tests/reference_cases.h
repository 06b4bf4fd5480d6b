/* SPDX-License-Identifier: Apache-2.0 */
/** Finding reference cases: folders with case.json and tensors.safetensors. A folder of reference data may
 * hold families and kinds that a test does not know, so a test names those that it wants and sees no others.
 */
#ifndef PLD_TESTS_REFERENCE_CASES_H
#define PLD_TESTS_REFERENCE_CASES_H

#include <jansson.h>

/** The root of models/ and cases/: $PLADIS_REFERENCE_CASES, or the copy in the source tree. */
const char *reference_root(void);

/** Path below the root, in a buffer of the call's own; valid until the next 4 calls. */
const char *reference_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Call `visit` with every case of this kind and model, in alphabetical order: the name of its folder, its
 *  case.json and `user`. Of other cases nothing but case.json is read; one that cannot be read is passed
 * over, and a line says so. Returns how many were visited. */
int reference_each(const char *kind, const char *model,
                   void (*visit)(const char *name, const json_t *info, void *user), void *user);

/** The sampler of a generation, "" when its case.json names none. */
const char *reference_sampler(const json_t *info);

/** Say that a case is passed over, as one of another folder than the source tree's may be; of those in the
 * tree every one is known, so the program ends with a failure. */
void reference_pass_over(const char *name, const char *why);

#endif
