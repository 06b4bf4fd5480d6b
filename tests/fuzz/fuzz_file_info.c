/* SPDX-License-Identifier: Apache-2.0 */
/* What `pladis info` says of a file of weights: the input is the JSON header, the data is a hole as long as
 * the header wants it. Nothing of it steers a terminal. */
#define _GNU_SOURCE
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "info/file.h"
#include "pladis/pladis.h"
#include "terminal/message.h"

enum { MOST_BYTES = 1 << 28 };

/** Where the last tensor ends; 0 when the header says nothing sensible. */
static json_int_t data_bytes(const char *text, size_t size) {
    json_t *header = json_loadb(text, size, JSON_ALLOW_NUL, NULL);
    json_int_t most = 0;
    const char *name = NULL;
    json_t *entry = NULL;
    json_object_foreach(header, name, entry) {
        const json_int_t end = json_integer_value(json_array_get(json_object_get(entry, "data_offsets"), 1));
        most = end > most && end <= MOST_BYTES ? end : most;
    }
    json_decref(header);
    return most;
}

static const char *write_weights(const uint8_t *data, size_t size) {
    uint8_t *bytes = malloc(8 + size);
    FUZZ_REQUIRE(bytes);
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)((uint64_t)size >> (8 * i));
    }
    memcpy(bytes + 8, data, size);
    const char *path = fuzz_file(bytes, 8 + size);
    FUZZ_REQUIRE(truncate(path, (off_t)(8 + size) + data_bytes((const char *)data, size)) == 0);
    free(bytes);
    return path;
}

static void print(const char *path, bool json) {
    size_t length = 0;
    fuzz_print_begin();
    const int code = file_info_print(path, NULL, json);
    const char *text = fuzz_printed(&length);
    FUZZ_REQUIRE(code == EXIT_DONE || code == EXIT_FAILED);
    fuzz_require_plain(text, length);
    if (json && code == EXIT_DONE) {
        json_t *value = json_loadb(text, length, 0, NULL);
        FUZZ_REQUIRE(json_is_object(value));
        json_decref(value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    pld_file_info *info = NULL;
    pld_error error = {0};
    fuzz_quiet();
    const char *path = write_weights(data, size);
    if (pld_file_inspect(path, NULL, &info, &error) != PLD_OK) {
        FUZZ_REQUIRE(!info && error.message[0]);
    } else {
        FUZZ_REQUIRE(info->kind && info->title && info->metadata);
        for (size_t i = 0; i < info->note_count; i++) {
            FUZZ_REQUIRE(info->notes[i][0]);
        }
    }
    pld_file_info_destroy(&info);
    print(path, false);
    print(path, true);
    return 0;
}
