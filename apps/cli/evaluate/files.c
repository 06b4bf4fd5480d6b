/* SPDX-License-Identifier: Apache-2.0 */
/** The files of an evaluation's folder: what they are called, and text written whole to one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evaluate/evaluation.h"
#include "files/memory_file.h"
#include "files/whole_file.h"
#include "terminal/message.h"
#include "values/utf8.h"

bool evaluation_path(const evaluation *e, const char *name, char *path) {
    int length = snprintf(path, PATH_MAX, "%s/%s", e->request->folder, name);
    if (length < 0 || length >= PATH_MAX) {
        message_usage("--output: the folder's name is too long");
        return false;
    }
    return true;
}

bool evaluation_picture_path(const evaluation *e, picture_place at, char *path) {
    char name[64];
    snprintf(name, sizeof name, "pictures/p%05zu-r%03zu-s%04zu.png", at.prompt, at.repetition, at.setting);
    return evaluation_path(e, name, path);
}

void evaluation_grid_name(const evaluation *e, const char *stem, const char *ending, size_t grid, char *name,
                          size_t size) {
    if (e->request->grid_count == 1) {
        snprintf(name, size, "%s.%s", stem, ending);
    } else {
        snprintf(name, size, "%s-%zu.%s", stem, grid + 1, ending);
    }
}

int evaluation_write_text(const evaluation *e, const char *name, size_t grid,
                          void (*print)(FILE *file, const evaluation *e, size_t grid)) {
    char path[PATH_MAX];
    memory_file memory;
    if (!evaluation_path(e, name, path)) {
        return EXIT_FAILED;
    }
    memory_file_open(&memory);
    if (memory.stream != NULL) {
        print(memory.stream, e, grid);
    }
    char *text = memory_file_close(&memory);
    char *repaired = text != NULL ? utf8_repaired(text) : NULL;
    free(text);
    if (repaired == NULL) {
        return message_failure("%s: out of memory", path);
    }
    const int code = whole_file_write(path, repaired, strlen(repaired));
    free(repaired);
    return code;
}
