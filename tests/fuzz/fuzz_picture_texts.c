/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of a PNG as `pladis info` prints them and `--from` reads them. The input is a list of texts,
 * separated by the byte 0x1e: the kind of chunk (t: tEXt, z: zTXt, i: iTXt) and its contents. Nothing of them
 * steers a terminal. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fuzz.h"
#include "info/picture.h"
#include "request/recall.h"
#include "terminal/message.h"

enum { MOST_TEXTS = 64, ROOM = 1 << 21 };

typedef struct picture {
    uint8_t *data; /* [ROOM] */
    size_t used;
} picture;

static void put_number(picture *p, uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        p->data[p->used++] = (uint8_t)(value >> shift);
    }
}

static void put_chunk(picture *p, const char *type, const void *contents, size_t size) {
    FUZZ_REQUIRE(p->used + size + 12 <= ROOM);
    put_number(p, (uint32_t)size);
    const size_t at = p->used;
    memcpy(p->data + p->used, type, 4);
    memcpy(p->data + p->used + 4, contents, size);
    p->used += 4 + size;
    put_number(p, (uint32_t)crc32(0, p->data + at, (uInt)(4 + size)));
}

/** zTXt: what follows the key's NUL is compressed. */
static void put_compressed(picture *p, const uint8_t *data, size_t size) {
    const uint8_t *end = memchr(data, '\0', size);
    const size_t key = end ? (size_t)(end - data) : size;
    uLongf packed = compressBound((uLong)(size - key));
    uint8_t *contents = malloc(key + 2 + packed);
    FUZZ_REQUIRE(contents);
    memcpy(contents, data, key);
    contents[key] = contents[key + 1] = 0;
    FUZZ_REQUIRE(compress2(contents + key + 2, &packed, data + key + (end != NULL),
                           (uLong)(size - key - (end != NULL)), 1) == Z_OK);
    put_chunk(p, "zTXt", contents, key + 2 + packed);
    free(contents);
}

/** One grey pixel with these texts. The caller frees `data`. */
static picture make_picture(const uint8_t *data, size_t size) {
    static const uint8_t signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    static const uint8_t header[] = {0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0};
    static const uint8_t row[] = {0x78, 0x01, 0x01, 0x02, 0x00, 0xfd, 0xff,
                                  0x00, 0x00, 0x00, 0x02, 0x00, 0x01};
    picture p = {.data = malloc(ROOM), .used = sizeof signature};
    FUZZ_REQUIRE(p.data);
    memcpy(p.data, signature, sizeof signature);
    put_chunk(&p, "IHDR", header, sizeof header);
    for (int texts = 0; size > 0 && texts < MOST_TEXTS; texts++) {
        const uint8_t *end = memchr(data, 0x1e, size);
        const size_t length = end ? (size_t)(end - data) : size;
        if (length > 0 && data[0] == 'z') {
            put_compressed(&p, data + 1, length - 1);
        } else if (length > 0) {
            put_chunk(&p, data[0] == 'i' ? "iTXt" : "tEXt", data + 1, length - 1);
        }
        data += length + (end != NULL);
        size -= length + (end != NULL);
    }
    put_chunk(&p, "IDAT", row, sizeof row);
    put_chunk(&p, "IEND", row, 0);
    return p;
}

static void print(const char *path, bool json) {
    size_t length = 0;
    fuzz_print_begin();
    const int code = picture_info_print(path, json);
    const char *text = fuzz_printed(&length);
    FUZZ_REQUIRE(code == EXIT_DONE || code == EXIT_FAILED);
    fuzz_require_plain(text, length);
}

static bool is_set(const generate_request *request, const char *name) {
    return pld_options_get(request->values, NULL, name)->is_set;
}

/** Only options of pictures may come out of a stranger's file. */
static void recall(const char *path) {
    static generate_request request;
    FUZZ_REQUIRE(generate_options_defaults(&request));
    const generate_request untouched = request;
    const options_result result = recall_picture(path, 1, &request);
    FUZZ_REQUIRE(result == OPTIONS_RUN || result == OPTIONS_WRONG || result == OPTIONS_FAILED);
    FUZZ_REQUIRE(request.output == untouched.output && request.report == NULL && request.dump == NULL &&
                 request.prompt_file == NULL && request.from == NULL && !is_set(&request, "threads"));
    generate_options_free(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_quiet();
    if (size > ROOM / 4) {
        return 0;
    }
    picture p = make_picture(data, size);
    const char *path = fuzz_file(p.data, p.used);
    FUZZ_REQUIRE(picture_info_is_png(path));
    print(path, false);
    print(path, true);
    recall(path);
    free(p.data);
    return 0;
}
