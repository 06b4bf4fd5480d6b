/* SPDX-License-Identifier: Apache-2.0 */
#include "evaluate/hash.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "terminal/message.h"

enum { BLOCK = 1 << 20, DEEPEST = 8 };

static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 29);
}

uint64_t hash_bytes(uint64_t hash, const void *data, size_t size) {
    const unsigned char *at = data;
    hash = mix(hash, size);
    for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t), at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        hash = mix(hash, word);
    }
    for (; size > 0; size--, at++) {
        hash = mix(hash, *at);
    }
    return hash;
}

void hash_text(uint64_t hash, char text[FINGERPRINT_SIZE]) {
    snprintf(text, FINGERPRINT_SIZE, "%016" PRIx64, mix(mix(hash, 1), 2));
}

static bool hash_file(const char *path, uint64_t *hash) {
    FILE *file = fopen(path, "rb");
    char *block = malloc(BLOCK);
    bool done = file != NULL && block != NULL;
    for (size_t size = BLOCK; done && size == BLOCK;) {
        size = fread(block, 1, BLOCK, file);
        *hash = hash_bytes(*hash, block, size);
        done = ferror(file) == 0;
    }
    if (!done) {
        message_failure("%s: cannot be read: %s", path, strerror(errno));
    }
    if (file != NULL) {
        fclose(file);
    }
    free(block);
    return done;
}

/** What of a folder makes the model: not its card or its prompts. */
static bool counts(const char *name) {
    static const char *const endings[] = {".safetensors", ".json", ".txt"};
    const char *ending = strrchr(name, '.');
    for (size_t i = 0; ending != NULL && i < sizeof endings / sizeof *endings; i++) {
        if (strcmp(ending, endings[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static bool hash_folder(const char *path, int depth, uint64_t *hash) {
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, visible, alphasort);
    if (count < 0) {
        message_failure("%s: cannot be read: %s", path, strerror(errno));
        return false;
    }
    bool done = true;
    for (int i = 0; i < count; i++) {
        char inside[PATH_MAX];
        struct stat status;
        const char *name = entries[i]->d_name;
        int length = snprintf(inside, sizeof inside, "%s/%s", path, name);
        if (done && length > 0 && (size_t)length < sizeof inside && stat(inside, &status) == 0) {
            if (S_ISDIR(status.st_mode)) {
                done = depth == DEEPEST || hash_folder(inside, depth + 1, hash);
            } else if (counts(name)) {
                *hash = hash_bytes(*hash, name, strlen(name));
                done = hash_file(inside, hash);
            }
        }
        free(entries[i]);
    }
    free(entries);
    return done;
}

bool hash_path(const char *path, uint64_t *hash) {
    struct stat status;
    bool is_folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    return is_folder ? hash_folder(path, 0, hash) : hash_file(path, hash);
}
