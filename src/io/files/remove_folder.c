/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "io/files/remove_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

enum { MOST_DEPTH = 16 };

static void empty_folder(int folder, int depth);

static void remove_entry(int folder, const char *name, int depth) {
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || unlinkat(folder, name, 0) == 0) {
        return;
    }
    const int inside = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inside >= 0) {
        empty_folder(inside, depth + 1);
        close(inside);
        (void)unlinkat(folder, name, AT_REMOVEDIR);
    }
}

#if defined(__linux__)

/** An entry as the kernel writes it (getdents64); the C library's readdir would allocate. */
typedef struct kernel_entry {
    uint64_t number;
    int64_t next;
    uint16_t size;
    uint8_t kind;
    char name[];
} kernel_entry;

static void empty_folder(int folder, int depth) {
    _Alignas(kernel_entry) char entries[4096];
    long got = 0;
    while (depth < MOST_DEPTH && (got = syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0) {
        for (long at = 0; at < got;) {
            const kernel_entry *entry = (const kernel_entry *)(const void *)(entries + at);
            remove_entry(folder, entry->name, depth);
            at += entry->size;
        }
    }
}

#else

static void empty_folder(int folder, int depth) {
    DIR *open = depth < MOST_DEPTH ? fdopendir(dup(folder)) : NULL;
    for (struct dirent *entry; open && (entry = readdir(open));) {
        remove_entry(folder, entry->d_name, depth);
    }
    if (open) {
        closedir(open);
    }
}

#endif

void pld_remove_folder(const char *path) {
    remove_entry(AT_FDCWD, path, 0);
}
