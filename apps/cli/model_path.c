/* SPDX-License-Identifier: Apache-2.0 */
#include "model_path.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "message.h"

static bool exists(const char *path) {
    struct stat status;
    return stat(path, &status) == 0;
}

bool model_path_find(const char *name, char *path, size_t size) {
    if (name[0] == '\0') {
        message_usage("--model: found \"\", expected a folder, a file or the name of a shipped model");
        return false;
    }
    if (strlen(name) >= size) {
        message_failure("%.60s...: the path is too long", name);
        return false;
    }
    if (exists(name)) {
        snprintf(path, size, "%s", name);
        return true;
    }
    if (strchr(name, '/') != NULL) {
        message_failure("%s: no such model; expected a diffusers folder or a .safetensors file", name);
        return false;
    }
    const char *folders[] = {
        getenv("PLADIS_MODEL_DIR"),
#ifdef PLADIS_SOURCE_MODEL_DIR
        PLADIS_SOURCE_MODEL_DIR,
#endif
        PLADIS_MODEL_DIR,
    };
    char looked[PATH_MAX * 2] = "";
    size_t length = 0;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        if (folders[i] == NULL || folders[i][0] == '\0') {
            continue;
        }
        int needed = snprintf(path, size, "%s/%s", folders[i], name);
        if (needed > 0 && (size_t)needed < size && exists(path)) {
            return true;
        }
        if (length < sizeof looked) {
            length += (size_t)snprintf(looked + length, sizeof looked - length, ", %s", folders[i]);
        }
    }
    message_failure("%s: no such model; looked in the current folder%s; give its folder with -m, or set "
                    "PLADIS_MODEL_DIR",
                    name, looked);
    return false;
}

/** FOLDER + rest if such a file is there. */
static bool try_file(const char *folder, const char *rest, char *path, size_t size) {
    int needed = folder && folder[0] ? snprintf(path, size, "%s%s", folder, rest) : -1;
    return needed > 0 && (size_t)needed < size && exists(path);
}

const char *vocabulary_find(char *path, size_t size) {
#define VOCABULARY "/bpe_simple_vocab_16e6.txt.gz"
    const struct {
        const char *folder, *rest;
    } places[] = {
        {getenv("PLADIS_VOCABULARY"), ""},
#ifdef PLADIS_SOURCE_VOCABULARY_DIR
        {PLADIS_SOURCE_VOCABULARY_DIR, VOCABULARY},
#endif
        {PLADIS_VOCABULARY_DIR, VOCABULARY},
        {getenv("XDG_DATA_HOME"), "/pladis" VOCABULARY},
        {getenv("HOME"), "/.local/share/pladis" VOCABULARY},
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (try_file(places[i].folder, places[i].rest, path, size)) {
            return path;
        }
    }
    return NULL;
}

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
