/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "reference_cases.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *reference_tree(void) {
    return PLADIS_TEST_DATA "/reference";
}

const char *reference_more(void) {
    static bool said;
    const char *root = getenv("PLADIS_REFERENCE_CASES");
    const bool named = root && *root;
    const bool there = named && access(reference_path(root, "cases"), R_OK) == 0;
    if (!there && !said) {
        said = true;
        printf("SKIPPED: reference cases beyond the tree's: %s%s\n",
               named ? "there is no folder of cases in " : "PLADIS_REFERENCE_CASES is not set",
               named ? root : "");
    }
    return there ? root : NULL;
}

void reference_pass_over(const char *root, const char *name, const char *why) {
    const bool own = strcmp(root, reference_tree()) == 0;
    printf("%s: case %s: %s\n", own ? "FAILED" : "passed over", name, why);
    if (own) {
        exit(EXIT_FAILURE);
    }
}

const char *reference_path(const char *root, const char *format, ...) {
    static char buffers[8][2048];
    static int next;
    char *buffer = buffers[next++ % 8];
    const int used = snprintf(buffer, sizeof buffers[0], "%.1000s/", root);
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
static json_t *read_info(const char *root, const char *name) {
    json_error_t error;
    json_t *info = json_load_file(reference_path(root, "cases/%s/case.json", name), JSON_ALLOW_NUL, &error);
    if (!info) {
        reference_pass_over(root, name, error.text);
    }
    return info;
}

int reference_each_below(const char *root, const char *kind, const char *model, reference_visit *visit,
                         void *user) {
    struct dirent **entries = NULL;
    const int count = scandir(reference_path(root, "cases"), &entries, NULL, alphasort);
    int visited = 0;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        json_t *info = name[0] == '.' ? NULL : read_info(root, name);
        if (is_field(info, "kind", kind) && (!model || is_field(info, "model", model))) {
            visit(&(reference_found){root, name, info}, user);
            visited++;
        }
        json_decref(info);
        free(entries[i]);
    }
    free(entries);
    return visited;
}

/** Whether both files are there and hold the same bytes. */
static bool same_bytes(const char *path, const char *other) {
    FILE *a = fopen(path, "rb"), *b = fopen(other, "rb");
    bool same = a && b;
    while (same) {
        char left[4096], right[4096];
        const size_t count = fread(left, 1, sizeof left, a);
        same = fread(right, 1, sizeof right, b) == count && memcmp(left, right, count) == 0;
        if (count < sizeof left) {
            break;
        }
    }
    if (a) {
        fclose(a);
    }
    if (b) {
        fclose(b);
    }
    return same;
}

/** A visitor, and who asks. */
typedef struct visitor {
    reference_visit *visit;
    void *user;
} visitor;

static void visit_unless_of_the_tree(const reference_found *found, void *user) {
    static const char *const files[] = {"case.json", "tensors.safetensors"};
    const visitor *v = user;
    bool same = true;
    for (int i = 0; i < 2 && same; i++) {
        same = same_bytes(reference_path(found->root, "cases/%s/%s", found->name, files[i]),
                          reference_path(reference_tree(), "cases/%s/%s", found->name, files[i]));
    }
    if (!same) {
        v->visit(found, v->user);
    }
}

int reference_each(const char *kind, const char *model, reference_visit *visit, void *user) {
    const int visited = reference_each_below(reference_tree(), kind, model, visit, user);
    const char *more = reference_more();
    if (more) {
        visitor v = {visit, user};
        reference_each_below(more, kind, model, visit_unless_of_the_tree, &v);
    }
    return visited;
}
