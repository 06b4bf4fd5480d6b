/* SPDX-License-Identifier: Apache-2.0 */
/** A stream into memory of which nothing is lost in silence: the C library's own drops what it has no memory
 * for and need not tell. */
#ifndef PLADIS_CLI_FILES_MEMORY_FILE_H
#define PLADIS_CLI_FILES_MEMORY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct memory_file {
    FILE *stream; /**< write here; NULL: memory was out at the beginning */
    char *bytes;
    size_t size, capacity;
    bool failed;
} memory_file;

void memory_file_open(memory_file *file);

/** Close, and give what was written, with a zero byte behind it; the caller frees it. NULL: memory was out,
 * and something is missing. */
char *memory_file_close(memory_file *file);

#endif
