/* SPDX-License-Identifier: Apache-2.0 */
/** Where the files of models/installed.h lie. */
#ifndef PLD_PIPELINE_MODEL_INSTALLED_FILES_H
#define PLD_PIPELINE_MODEL_INSTALLED_FILES_H

#include <stddef.h>

#include "core/status.h"
#include "models/families.h"

/** Folders that are looked through in this order. */
typedef struct pld_installed_folders {
    char **paths; /**< [count] */
    size_t count;
} pld_installed_folders;

/** Copies of the paths, to be freed with pld_installed_folders_free, on failure too. */
pld_status pld_installed_folders_copy(const char *const *paths, size_t count, pld_installed_folders *folders,
                                      pld_error *error);
void pld_installed_folders_free(pld_installed_folders *folders);

/** The file's path, which the caller frees; NULL: it is in none of the folders. */
pld_status pld_installed_find(const pld_installed_folders *folders, const pld_installed *installed,
                              char **path, pld_error *error);

/** The instruction that a use of texts has of itself: complex_instruction.txt of the model's `folder` (may be NULL), else the
 * installed one. The caller frees `*text`; NULL: there is none, or texts of this use take none. */
pld_status pld_instruction_find(const pld_text_use *use, const char *folder,
                                const pld_installed_folders *folders, char **text, pld_error *error);

/** The instruction in force, of which the caller owns nothing: `wanted`, or NULL if it says "none" or nothing; `own` where nothing
 * was wanted (NULL). */
const char *pld_instruction_chosen(const char *wanted, const char *own);

#endif
