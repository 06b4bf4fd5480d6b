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

/** Where what models lack may be installed, in the order in which it is looked for. */
static const struct {
    const char *folder, *variable, *rest; /* folder, or the variable's value and the rest */
} places[] = {
#ifdef PLADIS_SOURCE_VOCABULARY_DIR
    {PLADIS_SOURCE_VOCABULARY_DIR, NULL, ""},
#endif
    {PLADIS_VOCABULARY_DIR, NULL, ""},
    {NULL, "XDG_DATA_HOME", "/pladis"},
    {NULL, "HOME", "/.local/share/pladis"},
};

void vocabularies_find(vocabularies *found) {
    const char *named = getenv("PLADIS_VOCABULARY");
    found->count = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places && found->count < MOST_VOCABULARY_FOLDERS; i++) {
        const char *folder = places[i].folder ? places[i].folder : getenv(places[i].variable);
        char *path = found->paths[found->count];
        if (try_file(folder, places[i].rest, path, sizeof found->paths[0])) {
            found->folders[found->count++] = path;
        }
    }
    found->clip =
        named && try_file(named, "", found->clip_path, sizeof found->clip_path) ? found->clip_path : NULL;
    for (size_t i = 0; i < found->count && !found->clip; i++) {
        found->clip = try_file(found->folders[i], "/bpe_simple_vocab_16e6.txt.gz", found->clip_path,
                               sizeof found->clip_path)
                          ? found->clip_path
                          : NULL;
    }
}

void vocabularies_offer(vocabularies *found, pld_model_options *options) {
    vocabularies_find(found);
    options->vocabulary = found->clip;
    options->vocabulary_dirs = found->folders;
    options->vocabulary_dir_count = found->count;
}
