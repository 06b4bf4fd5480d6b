/* SPDX-License-Identifier: Apache-2.0 */
/** From the name of a model to its place. */
#ifndef PLADIS_CLI_FILES_MODEL_PATH_H
#define PLADIS_CLI_FILES_MODEL_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "values/base_name.h"

/** Path of the model `name`, with or without the ending .safetensors: itself where it exists or holds a
 * slash; else a model of that name in $PLADIS_MODEL_DIR, the source tree that this program was built in, or
 * the installed data folder. False after an error line that says where it was looked for. */
bool model_path_find(const char *name, char *path, size_t size);

/** Path of CLIP's published vocabulary, which single-file checkpoints need: $PLADIS_VOCABULARY, else where
 *  `./dev setup`, the installation or the person put it. NULL when it is nowhere. */
const char *vocabulary_find(char *path, size_t size);

#endif
