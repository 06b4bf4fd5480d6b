/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLADIS_CLI_VALUES_BASE_NAME_H
#define PLADIS_CLI_VALUES_BASE_NAME_H

#include <stddef.h>

/** Last part of a path, trailing slashes aside, written to `name`. */
void path_base_name(const char *path, char *name, size_t size);

#endif
