/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* fopencookie */
#include "files/memory_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/** Room for `more` bytes and a zero. */
static bool reserve(memory_file *file, size_t more) {
    if (more >= SIZE_MAX / 2 - file->size) {
        return false;
    }
    size_t wanted = file->size + more + 1;
    if (wanted > file->capacity) {
        size_t capacity = wanted + wanted / 2 + 256;
        char *bytes = realloc(file->bytes, capacity);
        if (bytes == NULL) {
            return false;
        }
        file->bytes = bytes;
        file->capacity = capacity;
    }
    return true;
}

static ssize_t append(void *cookie, const char *bytes, size_t count) {
    memory_file *file = cookie;
    file->failed = file->failed || !reserve(file, count);
    if (file->failed) {
        return 0;
    }
    memcpy(file->bytes + file->size, bytes, count);
    file->size += count;
    return (ssize_t)count;
}

void memory_file_open(memory_file *file) {
    *file = (memory_file){.stream = NULL};
    file->stream = fopencookie(file, "w", (cookie_io_functions_t){.write = append});
}

char *memory_file_close(memory_file *file) {
    bool done = file->stream != NULL && ferror(file->stream) == 0;
    done = file->stream != NULL && fclose(file->stream) == 0 && done;
    if (!done || file->failed || !reserve(file, 0)) {
        free(file->bytes);
        *file = (memory_file){.stream = NULL};
        return NULL;
    }
    file->stream = NULL;
    file->bytes[file->size] = '\0';
    return file->bytes;
}
