/* SPDX-License-Identifier: Apache-2.0 */
#include "io/files/text_file.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/mapping.h"
#include "core/memory.h"
#include "core/utf8.h"

enum { BYTE_ORDER_MARK = 0xFEFF };

/** A form of Unicode that a file can begin with the mark of. */
typedef struct encoding {
    const char *name;
    const char *mark;
    size_t unit; /* bytes of a code unit; a mark is one, but for UTF-8 */
    bool big_endian;
} encoding;

/** UTF-32 before UTF-16, whose mark its own begins with. */
static const encoding encodings[] = {
    {"UTF-32", "\xff\xfe\0\0", 4, false},
    {"UTF-32", "\0\0\xfe\xff", 4, true},
    {"UTF-16", "\xff\xfe", 2, false},
    {"UTF-16", "\xfe\xff", 2, true},
};

/** What the bytes begin as; NULL: UTF-8. */
static const encoding *find_encoding(const char *bytes, size_t size) {
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++) {
        if (size >= encodings[i].unit && memcmp(bytes, encodings[i].mark, encodings[i].unit) == 0) {
            return &encodings[i];
        }
    }
    return NULL;
}

static uint32_t read_unit(const encoding *from, const char *bytes) {
    uint32_t value = 0;
    for (size_t i = 0; i < from->unit; i++) {
        const size_t at = from->big_endian ? i : from->unit - 1 - i;
        value = value << 8 | (unsigned char)bytes[at];
    }
    return value;
}

/** The code point at bytes[size], of `*used` bytes; −1 where there is none. */
static int32_t read_code_point(const encoding *from, const char *bytes, size_t size, size_t *used) {
    if (size < from->unit) {
        return -1;
    }
    uint32_t value = read_unit(from, bytes);
    *used = from->unit;
    if (from->unit == 2 && value >= 0xD800 && value < 0xDC00 && size >= 4) {
        const uint32_t low = read_unit(from, bytes + 2);
        *used = 4;
        value = low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00) : 0xD800;
    }
    return value >= 0x110000 || (value >= 0xD800 && value < 0xE000) ? -1 : (int32_t)value;
}

/** UTF-8 from bytes with a mark, the mark included. At most `room` bytes, which is twice the size. */
static pld_status convert(const encoding *from, const char *bytes, size_t size, const char *name, char *text,
                          size_t *length, pld_error *error) {
    *length = 0;
    for (size_t at = 0, used = 0; at < size; at += used) {
        const int32_t code_point = read_code_point(from, bytes + at, size - at, &used);
        if (code_point < 0) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: byte %zu: expected %s, as the file's byte order mark says, found something "
                            "else; save the file as UTF-8",
                            name, at, from->name);
        }
        *length += pld_utf8_encode(code_point, text + *length);
    }
    return PLD_OK;
}

/** Leave out marks at the beginnings of lines and unite line ends, in place. */
static pld_status tidy(char *text, size_t *length, const char *name, pld_error *error) {
    static const char mark[] = "\xef\xbb\xbf";
    size_t to = 0, line = 1;
    bool at_start = true;
    for (size_t from = 0; from < *length;) {
        const char c = text[from];
        if (at_start && *length - from >= 3 && memcmp(text + from, mark, 3) == 0) {
            from += 3;
            continue;
        }
        if (c == '\0') {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: line %zu: found a zero byte, expected text; the file is damaged, or must be "
                            "saved as UTF-8",
                            name, line);
        }
        const bool pair = c == '\r' && from + 1 < *length && text[from + 1] == '\n';
        at_start = c == '\r' || c == '\n';
        line += at_start;
        text[to] = c;
        if (c == '\r') {
            text[to] = '\n';
        }
        to++;
        from += pair ? 2 : 1;
    }
    text[to] = '\0';
    *length = to;
    return PLD_OK;
}

pld_status pld_text_file_decode(const char *bytes, size_t size, const char *name, char **text, size_t *length,
                                pld_error *error) {
    size_t room = size;
    const encoding *from = find_encoding(bytes, size);
    *text = NULL;
    *length = size;
    /* a code unit of two bytes takes at most three in UTF-8 */
    char *made =
        (!from || pld_multiply(size, 2, &room)) && pld_add(room, 1, &room) ? pld_allocate(room, 1) : NULL;
    if (!made) {
        return pld_fail_memory(error, room, name);
    }
    pld_status status = PLD_OK;
    if (from) {
        status = convert(from, bytes, size, name, made, length, error);
    } else if (size > 0) {
        memcpy(made, bytes, size);
    }
    if (status == PLD_OK) {
        status = tidy(made, length, name, error);
    }
    if (status != PLD_OK) {
        pld_free(made);
        return status;
    }
    *text = made;
    return PLD_OK;
}

pld_status pld_text_file_read(const char *path, size_t most, char **text, size_t *length, pld_error *error) {
    pld_mapping *file = NULL;
    *text = NULL;
    PLD_TRY(pld_mapping_open(path, &file, error));
    const uint64_t size = pld_mapping_size(file);
    char *bytes = NULL;
    pld_status status = PLD_OK;
    if (size > most) {
        status =
            pld_fail(error, PLD_ERROR_FORMAT,
                     "%s: expected text of at most %zu bytes, found %" PRIu64 " bytes", path, most, size);
    } else if (!(bytes = pld_allocate((size_t)size, 1))) {
        status = pld_fail_memory(error, (size_t)size, path);
    } else {
        status = pld_mapping_read(file, 0, (size_t)size, bytes, NULL, error);
    }
    pld_mapping_close(&file);
    if (status == PLD_OK) {
        status = pld_text_file_decode(bytes, (size_t)size, path, text, length, error);
    }
    pld_free(bytes);
    return status;
}
