/* SPDX-License-Identifier: Apache-2.0 */
/** pladis info FILE.safetensors */
#ifndef PLADIS_CLI_INFO_FILE_H
#define PLADIS_CLI_INFO_FILE_H

#include <stdbool.h>

/** Print what one file of weights is. `config`: a diffusers folder that describes it, or NULL. Gives the exit
 *  code. */
int file_info_print(const char *path, const char *config, bool json);

#endif
