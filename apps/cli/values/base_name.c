/* SPDX-License-Identifier: Apache-2.0 */
#include "values/base_name.h"

#include <stdio.h>
#include <string.h>

void path_base_name(const char *path, char *name, size_t size) {
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    size_t start = length;
    while (start > 0 && path[start - 1] != '/') {
        start--;
    }
    snprintf(name, size, "%.*s", (int)(length - start), path + start);
}
