/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "reference_cases.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *reference_root(void) {
    const char *root = getenv("PLADIS_REFERENCE_CASES");
    return root && *root ? root : PLADIS_TEST_DATA "/reference";
}

void reference_pass_over(const char *name, const char *why) {
    const bool own = strcmp(reference_root(), PLADIS_TEST_DATA "/reference") == 0;
    printf("%s: case %s: %s\n", own ? "FAILED" : "passed over", name, why);
    if (own) {
        exit(EXIT_FAILURE);
    }
}

const char *reference_path(const char *format, ...) {
    static char buffers[4][1024];
    static int next;
    char *buffer = buffers[next++ % 4];
    int used = snprintf(buffer, sizeof buffers[0], "%s/", reference_root());
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(buffer + used, sizeof buffers[0] - (size_t)used, format, arguments);
    va_end(arguments);
    return buffer;
}

const char *reference_sampler(const json_t *info) {
    const json_t *scheduler = json_object_get(info, "scheduler");
    const char *name = json_string_value(json_object_get(scheduler, "sampling_method"));
    return name ? name : "";
}

static bool is_field(const json_t *object, const char *field, const char *wanted) {
    const char *value = json_string_value(json_object_get(object, field));
    return value && strcmp(value, wanted) == 0;
}

/** The case.json of a folder, NULL (and a line that says why) when it cannot be read. */
static json_t *read_info(const char *name) {
    json_error_t error;
    json_t *info = json_load_file(reference_path("cases/%s/case.json", name), JSON_ALLOW_NUL, &error);
    if (!info) {
        reference_pass_over(name, error.text);
    }
    return info;
}

int reference_each(const char *kind, const char *model,
                   void (*visit)(const char *name, const json_t *info, void *user), void *user) {
    struct dirent **entries = NULL;
    int count = scandir(reference_path("cases"), &entries, NULL, alphasort);
    int visited = 0;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        json_t *info = name[0] == '.' ? NULL : read_info(name);
        if (is_field(info, "kind", kind) && is_field(info, "model", model)) {
            visit(name, info, user);
            visited++;
        }
        json_decref(info);
        free(entries[i]);
    }
    free(entries);
    return visited;
}
