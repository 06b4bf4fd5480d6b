/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem */
#include "io/pictures/exif.h"

#include <string.h>

#include "core/memory.h"
#include "core/utf8.h"

enum { HEAD_BYTES = 8, ENTRY_BYTES = 12, VALUE_BYTES = 4 };
enum { TAG_ORIENTATION = 0x0112, TAG_EXIF_FOLDER = 0x8769, TAG_USER_COMMENT = 0x9286, CHARSET_BYTES = 8 };
enum {
    SHORT = 3,
    LONG,
    RATIONAL,
    SBYTE,
    UNDEFINED,
    SSHORT,
    SLONG,
    SRATIONAL,
    FLOAT,
    DOUBLE,
    FOLDER,
    LONG8 = 16
};

/** A TIFF structure. */
typedef struct tiff {
    const uint8_t *data; /* [size] */
    size_t size;
    bool big_endian;
} tiff;

/** The value of one entry, inside the structure. */
typedef struct field {
    int type;
    const uint8_t *data; /* NULL: there is none */
    size_t size;
} field;

/** Bytes of one value of each type of TIFF 6.0; 0: no type. */
static size_t unit_size(unsigned type) {
    static const uint8_t sizes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8};
    return type < sizeof sizes ? sizes[type] : 0;
}

static uint64_t read_number(const tiff *at, const uint8_t *bytes, size_t count) {
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        value = value << 8 | bytes[at->big_endian ? i : count - 1 - i];
    }
    return value;
}

/** The first value of a field, whatever its type: writers differ. 0 for types that are no numbers. */
static double read_value(const tiff *at, const field *from) {
    const size_t half =
        from->type == RATIONAL || from->type == SRATIONAL ? 4 : unit_size((unsigned)from->type);
    const uint64_t bits = read_number(at, from->data, half);
    float single = 0;
    double number = 0;
    switch (from->type) {
    case SBYTE:
        return (double)(int8_t)bits;
    case SSHORT:
        return (double)(int16_t)bits;
    case SLONG:
        return (double)(int32_t)bits;
    case SHORT:
    case LONG:
    case FOLDER:
    case LONG8:
        return (double)bits;
    case RATIONAL:
        return (double)bits / (double)read_number(at, from->data + 4, 4);
    case SRATIONAL:
        return (double)(int32_t)bits / (double)(int32_t)read_number(at, from->data + 4, 4);
    case FLOAT:
        memcpy(&single, &(uint32_t){(uint32_t)bits}, sizeof single);
        return (double)single;
    case DOUBLE:
        memcpy(&number, &bits, sizeof number);
        return number;
    default:
        return 0;
    }
}

/** The structure behind "Exif\0\0"; false where it does not begin as TIFF does. */
static bool open_tiff(const uint8_t *data, size_t size, tiff *opened) {
    static const char name[] = "Exif\0";
    /* the last two are written by mistake and read everywhere; 43 is BigTIFF where it stands third */
    static const char *const heads[] = {"II*\0", "MM\0*", "MM\0+", "II\0*", "MM*\0"};
    if (size >= sizeof name && memcmp(data, name, sizeof name) == 0) {
        data += sizeof name;
        size -= sizeof name;
    }
    for (size_t i = 0; size >= HEAD_BYTES && i < sizeof heads / sizeof *heads; i++) {
        if (memcmp(data, heads[i], 4) == 0) {
            *opened = (tiff){data, size, data[0] == 'M'};
            return true;
        }
    }
    return false;
}

/** The first whole field of `tag` in the folder at `offset`. `*outside` is what fields before it say that
 * they hold elsewhere: more than the record has cannot be. */
static field find_field(const tiff *at, uint64_t offset, unsigned tag) {
    const field none = {0};
    uint64_t outside = 0;
    if (offset > at->size || at->size - offset < 2) {
        return none;
    }
    const size_t count = (size_t)read_number(at, at->data + offset, 2);
    const uint8_t *entry = at->data + offset + 2;
    for (size_t i = 0; i < count; i++, entry += ENTRY_BYTES) {
        if ((size_t)(at->data + at->size - entry) < ENTRY_BYTES) {
            return none;
        }
        const unsigned type = (unsigned)read_number(at, entry + 2, 2);
        const uint64_t size = read_number(at, entry + 4, 4) * unit_size(type);
        const uint8_t *value = entry + 8;
        if (size > VALUE_BYTES) {
            const uint64_t place = read_number(at, entry + 8, 4);
            outside += size;
            if (outside > at->size) {
                continue;
            }
            if (place > at->size || size > at->size - place) {
                return none;
            }
            value = at->data + place;
        }
        if (size > 0 && read_number(at, entry, 2) == tag) {
            return (field){(int)type, value, (size_t)size};
        }
    }
    return none;
}

pld_exif pld_exif_read(const uint8_t *data, size_t size) {
    pld_exif found = {0};
    tiff at;
    if (!open_tiff(data, size, &at)) {
        return found;
    }
    const uint64_t first = read_number(&at, at.data + 4, 4);
    const field orientation = find_field(&at, first, TAG_ORIENTATION);
    const double number = orientation.data ? read_value(&at, &orientation) : 0;
    found.orientation = orientation.data ? 1 : 0;
    for (int i = 1; i <= 8; i++) {
        found.orientation = number == i ? i : found.orientation;
    }
    const field folder = find_field(&at, first, TAG_EXIF_FOLDER);
    if (folder.data && (folder.type == LONG || folder.type == FOLDER)) {
        const field comment = find_field(&at, read_number(&at, folder.data, 4), TAG_USER_COMMENT);
        found.comment = comment.size > CHARSET_BYTES ? comment.data : NULL;
        found.comment_size = found.comment ? comment.size : 0;
    }
    return found;
}

/** Whether UTF-16 without a mark begins with the higher byte: most letters of most texts have it zero. */
static bool higher_byte_first(const uint8_t *text, size_t size) {
    size_t zeros[2] = {0, 0};
    for (size_t i = 0; i < size; i++) {
        zeros[i % 2] += text[i] == 0;
    }
    return zeros[0] >= zeros[1];
}

char *pld_exif_comment_text(const pld_exif *exif) {
    static const char unicode[] = "UNICODE"; /* with its zero byte eight */
    const uint8_t *text = exif->comment ? exif->comment + CHARSET_BYTES : NULL;
    const size_t size = text ? exif->comment_size - CHARSET_BYTES : 0;
    size_t length = 0;
    if (!text || memcmp(exif->comment, unicode, sizeof unicode) != 0) {
        return pld_utf8_clean((const char *)text, size, &length);
    }
    const size_t high = higher_byte_first(text, size) ? 0 : 1;
    char *made = pld_allocate(size * 2 + 1, 1); /* a unit of two bytes takes at most three */
    for (size_t i = 0; made && i + 1 < size; i += 2) {
        int32_t code = text[i + high] << 8 | text[i + 1 - high];
        if (code >= 0xD800 && code < 0xDC00 && i + 3 < size) {
            const int32_t low = text[i + 2 + high] << 8 | text[i + 3 - high];
            if (low >= 0xDC00 && low < 0xE000) {
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                i += 2;
            }
        }
        const bool lone = code >= 0xD800 && code < 0xE000;
        if (code != 0 && code != 0xFEFF) {
            length += pld_utf8_encode(lone ? 0xFFFD : code, made + length);
        }
    }
    return made;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool pld_exif_read_profile(const char *text, uint8_t **record, size_t *size) {
    enum { HEADING_LINES = 3 };
    *record = NULL;
    *size = 0;
    for (int i = 0; text && i < HEADING_LINES; i++) {
        text = strchr(text, '\n');
        text += text != NULL;
    }
    uint8_t *bytes = text ? pld_allocate(strlen(text) / 2 + 1, 1) : NULL;
    if (!bytes) {
        return !text;
    }
    int high = -1;
    for (; *text; text++) {
        const int digit = hex_digit(*text);
        if (digit >= 0 && high >= 0) {
            bytes[(*size)++] = (uint8_t)(high << 4 | digit);
            high = -1;
        } else if (digit >= 0) {
            high = digit;
        } else if (!strchr(" \t\r\n\v\f", *text)) {
            pld_free(bytes);
            return true;
        }
    }
    *record = bytes;
    return true;
}
