/* SPDX-License-Identifier: Apache-2.0 */
/** From the name of a model to its place. */
#ifndef PLADIS_CLI_FILES_MODEL_PATH_H
#define PLADIS_CLI_FILES_MODEL_PATH_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include <pladis/pladis.h>

#include "values/base_name.h"

/** Path of the model `name`, with or without the ending .safetensors: itself where it exists or holds a
 * slash; else a model of that name in $PLADIS_MODEL_DIR, the source tree that this program was built in, or
 * the installed data folder. False after an error line that says where it was looked for. */
bool model_path_find(const char *name, char *path, size_t size);

enum { MOST_VOCABULARY_FOLDERS = 4 };

/** Where the files are that many models lack: vocabularies, and SANA's instruction. */
typedef struct vocabularies {
    const char *clip; /* path of CLIP's published vocabulary; NULL: it is nowhere */
    const char *folders[MOST_VOCABULARY_FOLDERS]; /* [count] that exist, for the other kinds */
    size_t count;
    char clip_path[PATH_MAX], paths[MOST_VOCABULARY_FOLDERS][PATH_MAX];
} vocabularies;

/** Look where `./dev setup`, the installation or the person put them; CLIP's may be named by $PLADIS_VOCABULARY. */
void vocabularies_find(vocabularies *found);

/** The same, for a model; `found` must outlive the options. */
void vocabularies_offer(vocabularies *found, pld_model_options *options);

#endif
