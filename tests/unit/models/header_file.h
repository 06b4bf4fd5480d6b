/* SPDX-License-Identifier: Apache-2.0 */
/** Files of networks in full size of which only the header is real; their data is a hole. */
#ifndef PLD_TESTS_HEADER_FILE_H
#define PLD_TESTS_HEADER_FILE_H

#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pladis/pladis.h"
#include "temporary_folder.h"

/** A header while it is made. */
typedef struct header {
    json_t *tensors;
    json_int_t end;
} header;

/** A tensor [rows, columns], or [rows] with columns 0. */
static inline void add(header *h, const char *name, json_int_t rows, json_int_t columns) {
    const json_int_t end = h->end + 2 * rows * (columns ? columns : 1);
    json_t *shape = columns ? json_pack("[I, I]", rows, columns) : json_pack("[I]", rows);
    json_object_set_new(
        h->tensors, name,
        json_pack("{s:s, s:o, s:[I, I]}", "dtype", "BF16", "shape", shape, "data_offsets", h->end, end));
    h->end = end;
}

/** Write the file NAME; the header is used up. Its path. */
static inline const char *write_header(const char *name, header *h) {
    char *text = json_dumps(h->tensors, JSON_COMPACT);
    const char *path = write_safetensors(name, text, 0, 0);
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(truncate(path, facts.st_size + h->end), 0);
    free(text);
    json_decref(h->tensors);
    return path;
}

static inline pld_file_info *inspect(const char *path) {
    pld_file_info *info = NULL;
    pld_error error = {0};
    if (pld_file_inspect(path, NULL, &info, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    return info;
}

#endif
