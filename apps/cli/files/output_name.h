/* SPDX-License-Identifier: Apache-2.0 */
/** Names of the files of a run that draws several pictures. */
#ifndef PLADIS_CLI_FILES_OUTPUT_NAME_H
#define PLADIS_CLI_FILES_OUTPUT_NAME_H

#include <stdbool.h>
#include <stddef.h>

/** Whether a path is a device, a pipe or the like. */
bool output_name_is_special(const char *path);

/** Name of file `number` (from 1) of `count`: the number takes the place of %d (or %03d and the like),
 * else it is put before the ending when there are several. A device or pipe has one name for all. False
 * when the name is too long. */
bool output_name(const char *pattern, size_t number, size_t count, char *name, size_t size);

#endif
