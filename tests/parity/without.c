/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "without.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compare.h"

static const char index_name[] = "model_index.json";

static bool lists(const json_t *without, const char *name) {
    for (size_t i = 0; i < json_array_size(without); i++) {
        if (strcmp(json_string_value(json_array_get(without, i)), name) == 0) {
            return true;
        }
    }
    return false;
}

static void write_index(const char *folder, const json_t *without, const char *path) {
    char file[512];
    snprintf(file, sizeof file, "%s/%s", folder, index_name);
    json_t *index = json_load_file(file, 0, NULL);
    assert_non_null(index);
    for (size_t i = 0; i < json_array_size(without); i++) {
        const char *name = json_string_value(json_array_get(without, i));
        assert_int_equal(json_object_set_new(index, name, json_pack("[n, n]")), 0);
    }
    snprintf(file, sizeof file, "%s/%s", path, index_name);
    assert_int_equal(json_dump_file(index, file, 0), 0);
    json_decref(index);
}

void without_make(const char *folder, const json_t *without, char path[WITHOUT_PATH]) {
    char absolute[4096];
    snprintf(path, WITHOUT_PATH, "/tmp/pladis-without-XXXXXX");
    assert_non_null(mkdtemp(path));
    assert_non_null(realpath(folder, absolute));
    write_index(folder, without, path);
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (const struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        char from[4608], to[512];
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, index_name) == 0 ||
            lists(without, entry->d_name)) {
            continue;
        }
        snprintf(from, sizeof from, "%s/%s", absolute, entry->d_name);
        snprintf(to, sizeof to, "%s/%s", path, entry->d_name);
        assert_int_equal(symlink(from, to), 0);
    }
    closedir(entries);
}

void without_remove(const char *path) {
    DIR *entries = path[0] ? opendir(path) : NULL;
    for (const struct dirent *entry = entries ? readdir(entries) : NULL; entry; entry = readdir(entries)) {
        char file[512];
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        unlink(file);
    }
    if (entries) {
        closedir(entries);
        rmdir(path);
    }
}
