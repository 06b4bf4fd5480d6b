/* SPDX-License-Identifier: Apache-2.0 */
#include "shelf/folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_ITEMS = 4096 };

/** What makes a file, or a folder that holds one of these, a thing of a kind. */
static const struct {
    const char *endings[3];
    const char *marks[3];
} kinds[] = {
    [FOLDER_MODELS] = {{".safetensors", ".gguf"}, {"model_index.json", "modular_model_index.json"}},
    [FOLDER_LORAS] = {{".safetensors"}, {"adapter_model.safetensors", "pytorch_lora_weights.safetensors"}},
};

bool folder_add(shelf_list *list, const shelf_item *item) {
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].name, item->name) == 0) {
            return true;
        }
    }
    if ((list->count & (list->count - 1)) == 0) { /* full at every power of two */
        const size_t room = list->count > 0 ? 2 * list->count : 1;
        shelf_item *items = realloc(list->items, room * sizeof *items);
        if (items == NULL) {
            return false;
        }
        list->items = items;
    }
    list->items[list->count++] = *item;
    return true;
}

bool folder_add_path(shelf_list *list, const char *path) {
    shelf_item item = {0};
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    if (length >= sizeof item.path) {
        return true;
    }
    memcpy(item.path, path, length);
    const char *slash = strrchr(item.path, '/');
    const char *name = slash != NULL ? slash + 1 : item.path;
    if (strlen(name) >= sizeof item.name) {
        return true;
    }
    memcpy(item.name, name, strlen(name) + 1);
    return folder_add(list, &item);
}

static bool has_ending(const char *name, folder_kind kind) {
    for (const char *const *ending = kinds[kind].endings; *ending != NULL; ending++) {
        const size_t length = strlen(name), end = strlen(*ending);
        if (length > end && strcmp(name + length - end, *ending) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_mark(const char *folder, folder_kind kind) {
    struct stat status;
    char path[PATH_MAX + NAME_MAX];
    for (const char *const *mark = kinds[kind].marks; *mark != NULL; mark++) {
        const int length = snprintf(path, sizeof path, "%s/%s", folder, *mark);
        if (length > 0 && (size_t)length < sizeof path && stat(path, &status) == 0 &&
            S_ISREG(status.st_mode)) {
            return true;
        }
    }
    return false;
}

/** A name that clients can be told of, and that is no path. */
static bool is_plain(const char *name) {
    for (const char *at = name; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f || *at == ':' || *at == '\\') {
            return false;
        }
    }
    return name[0] != '.' && name[0] != '\0' && strlen(name) < SHELF_NAME;
}

static int by_name(const void *first, const void *second) {
    const shelf_item *a = first, *b = second;
    return strcmp(a->name, b->name);
}

bool folder_list(const char *folder, folder_kind kind, shelf_list *list) {
    shelf_list here = {0};
    DIR *opened = opendir(folder);
    bool done = true;
    for (struct dirent *entry = NULL;
         opened != NULL && done && here.count < MOST_ITEMS && (entry = readdir(opened)) != NULL;) {
        shelf_item item = {0};
        struct stat status;
        const int length = snprintf(item.path, sizeof item.path, "%s/%s", folder, entry->d_name);
        if (!is_plain(entry->d_name) || length <= 0 || (size_t)length >= sizeof item.path ||
            stat(item.path, &status) != 0) {
            continue;
        }
        snprintf(item.name, sizeof item.name, "%s", entry->d_name);
        const bool fits = S_ISDIR(status.st_mode) ? has_mark(item.path, kind)
                                                  : S_ISREG(status.st_mode) && has_ending(item.name, kind);
        done = !fits || folder_add(&here, &item);
    }
    if (opened != NULL) {
        closedir(opened);
    }
    if (here.count > 0) {
        qsort(here.items, here.count, sizeof *here.items, by_name);
    }
    for (size_t i = 0; done && i < here.count; i++) {
        done = folder_add(list, &here.items[i]);
    }
    shelf_list_free(&here);
    return done;
}
