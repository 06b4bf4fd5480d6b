/* SPDX-License-Identifier: Apache-2.0 */
#include "files/model_path.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "terminal/message.h"

static bool exists(const char *path) {
    struct stat status;
    return stat(path, &status) == 0;
}

/** The model `name` of a folder ("": the current one), as it stands or with the ending of a checkpoint. */
static bool find_in(const char *folder, const char *name, char *path, size_t size) {
    static const char *const endings[] = {"", ".safetensors"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        int needed = snprintf(path, size, "%s%s%s%s", folder, folder[0] != '\0' ? "/" : "", name, endings[i]);
        if (needed > 0 && (size_t)needed < size && exists(path)) {
            return true;
        }
    }
    return false;
}

bool model_path_find(const char *name, char *path, size_t size) {
    if (name[0] == '\0') {
        message_usage("--model: found \"\", expected a folder, a file or the name of a shipped model");
        return false;
    }
    if (strlen(name) >= size) {
        message_failure("%.60s...: expected a path of at most %zu bytes, found %zu", name, size - 1,
                        strlen(name));
        return false;
    }
    if (find_in("", name, path, size)) {
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
        if (find_in(folders[i], name, path, size)) {
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
