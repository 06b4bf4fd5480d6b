/* SPDX-License-Identifier: Apache-2.0 */
/** A model's folder without some of its components. */
#ifndef PLD_TESTS_WITHOUT_H
#define PLD_TESTS_WITHOUT_H

#include <jansson.h>

enum { WITHOUT_PATH = 64 };

/** Make a temporary folder that shows a diffusers folder, with [null, null] in its model_index.json for each component that
 * `without` lists and nothing else of them. */
void without_make(const char *folder, const json_t *without, char path[WITHOUT_PATH]);

/** Remove it; an empty path is none. */
void without_remove(const char *path);

#endif
