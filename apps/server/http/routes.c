/* SPDX-License-Identifier: Apache-2.0 */
#include "http/routes.h"

#include <stdio.h>
#include <string.h>

/** Whether a path fits a pattern; `tail` gets what stands for its *. */
static bool fits(const char *pattern, const char *path, char *tail, size_t size) {
    const char *star = strchr(pattern, '*');
    tail[0] = '\0';
    if (star == NULL) {
        return strcmp(pattern, path) == 0;
    }
    const size_t before = (size_t)(star - pattern), behind = strlen(star + 1), length = strlen(path);
    if (length <= before + behind || memcmp(pattern, path, before) != 0 ||
        strcmp(path + length - behind, star + 1) != 0) {
        return false;
    }
    const size_t part = length - before - behind;
    if (part >= size || memchr(path + before, '/', part) != NULL) {
        return false;
    }
    memcpy(tail, path + before, part);
    tail[part] = '\0';
    return true;
}

static void add_method(char others[ROUTES_METHODS], const char *method) {
    const size_t length = strlen(others);
    snprintf(others + length, ROUTES_METHODS - length, "%s%s%s", length > 0 ? ", " : "", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

const route *routes_find(const route_table *table, const char *method, const char *path, char *tail,
                         size_t size, char others[ROUTES_METHODS]) {
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    others[0] = '\0';
    for (size_t i = 0; i < table->group_count; i++) {
        for (const route *row = table->groups[i]; row->path != NULL; row++) {
            if (!fits(row->path, path, tail, size)) {
                continue;
            }
            if (strcmp(row->method, wanted) == 0) {
                return row;
            }
            add_method(others, row->method);
        }
    }
    return NULL;
}
