/* SPDX-License-Identifier: Apache-2.0 */
/** The file of a LoRA that is given as the folder which PEFT or diffusers wrote. */
#ifndef PLD_LORAS_FOLDER_H
#define PLD_LORAS_FOLDER_H

#include <stdbool.h>

#include "core/status.h"

/** `*file` in new memory: `path` itself unless it is a folder, else the file of weights in it.
 *  PLD_ERROR_MISSING when the folder holds none. */
pld_status pld_lora_folder_find(const char *path, char **file, pld_error *error);

#endif
