/* SPDX-License-Identifier: Apache-2.0 */
#include "files/output_name.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/** Find %d or %0Nd with one digit N; `*width` gets N and `*length` the characters that it takes. */
static const char *find_place(const char *pattern, int *width, size_t *length) {
    for (const char *at = strchr(pattern, '%'); at != NULL; at = strchr(at + 1, '%')) {
        if (at[1] == 'd') {
            *width = 1;
            *length = 2;
            return at;
        }
        if (at[1] == '0' && at[2] >= '1' && at[2] <= '9' && at[3] == 'd') {
            *width = at[2] - '0';
            *length = 4;
            return at;
        }
    }
    return NULL;
}

bool output_name_is_special(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && !S_ISREG(facts.st_mode) && !S_ISDIR(facts.st_mode);
}

bool output_name(const char *pattern, size_t number, size_t count, char *name, size_t size) {
    int width = 1, written = 0;
    size_t length = 0;
    const char *place = find_place(pattern, &width, &length);
    if (place != NULL) {
        written = snprintf(name, size, "%.*s%0*zu%s", (int)(place - pattern), pattern, width, number,
                           place + length);
    } else if (count == 1 || output_name_is_special(pattern)) {
        written = snprintf(name, size, "%s", pattern);
    } else {
        const char *base = strrchr(pattern, '/');
        base = base != NULL ? base + 1 : pattern;
        const char *dot = strrchr(base, '.');
        size_t stem = dot != NULL && dot != base ? (size_t)(dot - pattern) : strlen(pattern);
        written = snprintf(name, size, "%.*s-%zu%s", (int)stem, pattern, number, pattern + stem);
    }
    return written > 0 && (size_t)written < size;
}
