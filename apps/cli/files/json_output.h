/* SPDX-License-Identifier: Apache-2.0 */
/** JSON to standard output or into a file. */
#ifndef PLADIS_CLI_FILES_JSON_OUTPUT_H
#define PLADIS_CLI_FILES_JSON_OUTPUT_H

#include <jansson.h>

/** Print `value` and release it. NULL (out of memory) is an error. Gives the exit code. */
int json_output_print(json_t *value);

/** Write `value` to `path`, whole or not at all, and release it. Gives the exit code. */
int json_output_save(json_t *value, const char *path);

#endif
