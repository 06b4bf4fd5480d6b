/* SPDX-License-Identifier: Apache-2.0 */
/** A folder of one test program, and files in it. Include after cmocka.h, with _GNU_SOURCE. */
#ifndef PLD_TESTS_TEMPORARY_FOLDER_H
#define PLD_TESTS_TEMPORARY_FOLDER_H

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char temporary_folder[256];

/** cmocka group set-up. */
static inline int make_temporary_folder(void **state) {
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(temporary_folder, sizeof temporary_folder, "%s/pladis-test-XXXXXX", base ? base : "/tmp");
    return mkdtemp(temporary_folder) ? 0 : -1;
}

static inline int remove_entry(const char *path, const struct stat *facts, int kind, struct FTW *place) {
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline void remove_tree(const char *path) {
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/** cmocka group tear-down. */
static inline int remove_temporary_folder(void **state) {
    (void)state;
    remove_tree(temporary_folder);
    return 0;
}

/** The path of `name` in the folder; one of four rotating buffers. */
static inline const char *in_folder(const char *name) {
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", temporary_folder, name);
    return path;
}

static inline const char *write_bytes(const char *name, const void *data, size_t size) {
    const char *path = in_folder(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

static inline const char *write_text(const char *name, const char *text) {
    return write_bytes(name, text, strlen(text));
}

/** A safetensors file: the length of `header` (plus `length_error`), `header`, `data_size` bytes 0, 1, 2, …
 */
static inline const char *write_safetensors(const char *name, const char *header, long length_error,
                                            size_t data_size) {
    size_t header_size = strlen(header);
    unsigned char *bytes = malloc(8 + header_size + data_size);
    assert_non_null(bytes);
    unsigned long long length = (unsigned long long)((long long)header_size + length_error);
    for (int i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)(length >> (8 * i));
    }
    memcpy(bytes + 8, header, header_size);
    for (size_t i = 0; i < data_size; i++) {
        bytes[8 + header_size + i] = (unsigned char)i;
    }
    const char *path = write_bytes(name, bytes, 8 + header_size + data_size);
    free(bytes);
    return path;
}

/** Files in the folder, to see that nothing was left behind. */
static inline int count_files(const char *folder) {
    DIR *directory = opendir(folder);
    int count = 0;
    struct dirent *entry = NULL;
    while (directory && (entry = readdir(directory)) != NULL) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    if (directory) {
        closedir(directory);
    }
    return count;
}

#endif
