/* SPDX-License-Identifier: Apache-2.0 */
/* A file of weights of which each line of the input is a tensor, "name size size …": looked into, its parts
 *  described and seen under other names. The data is a hole in the file. */
#define _GNU_SOURCE
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "models/layouts/layouts.h"
#include "pladis/pladis.h"

enum { MOST_BYTES = 1 << 28, MOST_LINES = 400 };

/** Add one line to the header; the bytes that its data takes. */
static json_int_t add_line(json_t *header, char *line, json_int_t at) {
    char *rest = NULL;
    const char *name = strtok_r(line, " ", &rest);
    json_t *shape = json_array();
    json_int_t elements = 1;
    for (const char *size; (size = strtok_r(NULL, " ", &rest)) && json_array_size(shape) < 8;) {
        const json_int_t value = strtol(size, NULL, 10) & 0xfff;
        json_array_append_new(shape, json_integer(value));
        elements *= value;
        if (elements > MOST_BYTES) {
            elements = 0;
            json_array_append_new(shape, json_integer(0));
        }
    }
    if (!name || json_object_get(header, name) || at + 2 * elements > MOST_BYTES) {
        json_decref(shape);
        return 0;
    }
    json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F16", "shape", shape, "data_offsets", at,
                              at + 2 * elements);
    return json_object_set_new(header, name, entry) == 0 ? 2 * elements : 0;
}

/** Write the file; NULL where the lines make none. */
static const char *write_file(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    FUZZ_REQUIRE(text);
    memcpy(text, data, size);
    text[size] = '\0';
    json_t *header = json_object();
    json_int_t at = 0;
    char *rest = NULL;
    int lines = 0;
    for (char *line = strtok_r(text, "\n", &rest); line && lines < MOST_LINES;
         line = strtok_r(NULL, "\n", &rest)) {
        at += add_line(header, line, at);
        lines++;
    }
    char *json = json_dumps(header, JSON_COMPACT);
    const char *path = NULL;
    if (json) {
        const size_t length = strlen(json);
        uint8_t *bytes = calloc(8 + length, 1);
        FUZZ_REQUIRE(bytes);
        for (int i = 0; i < 8; i++) {
            bytes[i] = (uint8_t)((uint64_t)length >> (8 * i));
        }
        memcpy(bytes + 8, json, length);
        path = fuzz_file(bytes, 8 + length);
        FUZZ_REQUIRE(truncate(path, (off_t)(8 + length) + at) == 0);
        free(bytes);
    }
    free(json);
    json_decref(header);
    free(text);
    return path;
}

/** Every name that a view gives must lead back to a tensor of the file. */
static void check_views(const pld_weight_files *files) {
    pld_layout_contents contents;
    pld_layout_detect(files, &contents);
    for (int i = 0; i < contents.count; i++) {
        const pld_part_layout *layout = contents.parts[i].layout;
        pld_weight_files *view = NULL;
        pld_error error = {0};
        if (pld_layout_view(files, layout, 1, &view, &error) != PLD_OK) {
            FUZZ_REQUIRE(!view && error.message[0]);
            continue;
        }
        for (size_t j = 0; j < pld_weight_files_count(view); j++) {
            const pld_weight weight = pld_weight_files_at(view, j);
            pld_renamed renamed;
            FUZZ_REQUIRE(weight.tensor->bytes <= MOST_BYTES);
            FUZZ_REQUIRE(pld_names_to_original(layout->names, pld_layout_last(files, layout),
                                               weight.tensor->name, NULL, NULL, &renamed));
        }
        pld_weight_files_close(&view);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *path = write_file(data, size);
    pld_file_info *info = NULL;
    pld_weight_files *files = NULL;
    pld_error error = {0};
    if (!path) {
        return 0;
    }
    if (pld_weight_files_open_file(path, &files, &error) == PLD_OK) {
        check_views(files);
        pld_weight_files_close(&files);
    }
    if (pld_file_inspect(path, NULL, &info, &error) != PLD_OK) {
        FUZZ_REQUIRE(!info && error.message[0]);
        return 0;
    }
    FUZZ_REQUIRE(info->kind && info->title && info->metadata);
    pld_file_info_destroy(&info);
    return 0;
}
