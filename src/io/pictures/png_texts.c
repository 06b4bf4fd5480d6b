/* SPDX-License-Identifier: Apache-2.0 */
#include "io/pictures/png_texts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "core/memory.h"
#include "core/text.h"
#include "io/pictures/exif.h"
#include "io/pictures/png_library.h"
#include "io/pictures/turn.h"

enum { CHUNK_FRAME_BYTES = 12 /* length, type, checksum */ };
enum { MAX_TEXTS = 1000, MAX_TEXT_BYTES = 16 << 20, MAX_ALL_BYTES = 64 << 20 };

/** One text as it is gathered: freed by the reader. */
typedef struct raw_text {
    char *value; /* [length], and a zero byte */
    size_t length, capacity;
    bool latin1;
} raw_text;

typedef struct reader {
    const char *name;
    pld_png_picture *picture;
    size_t capacity;          /* of picture->texts */
    size_t chunks, all_bytes; /* of texts so far */
    const uint8_t *exif;      /* the last EXIF record of the file, or NULL */
    size_t exif_size;
    bool out_of_memory;
} reader;

bool pld_png_next_chunk(const uint8_t *png, size_t size, size_t *at, pld_png_chunk *chunk) {
    const size_t rest = size - *at;
    const size_t length = rest < CHUNK_FRAME_BYTES ? 0 : png_get_uint_32(png + *at);
    if (rest < CHUNK_FRAME_BYTES || length > rest - CHUNK_FRAME_BYTES) {
        return false;
    }
    *chunk = (pld_png_chunk){.type = png + *at + 4, .data = png + *at + 8, .length = length};
    *at += CHUNK_FRAME_BYTES + length;
    return true;
}

static bool is_type(const pld_png_chunk *chunk, const char *type) {
    return memcmp(chunk->type, type, 4) == 0;
}

/** Remember why a text is left out, unless one was before. */
static void leave_out(reader *at, const char *key, const char *format, ...) PLD_PRINTF(3, 4);
static void leave_out(reader *at, const char *key, const char *format, ...) {
    char why[160];
    va_list arguments;
    va_start(arguments, format);
    pld_print_arguments(why, sizeof why, format, arguments);
    va_end(arguments);
    if (at->picture->text_problem.status == PLD_OK) {
        pld_write_error(&at->picture->text_problem, PLD_ERROR_FORMAT, "%s: text '%.79s': %s", at->name, key,
                        why);
    }
}

static voidpf take_memory(voidpf unused, uInt count, uInt size) {
    (void)unused;
    return pld_allocate(count, size);
}

static void give_memory(voidpf unused, voidpf memory) {
    (void)unused;
    pld_free(memory);
}

/** Unpack what zTXt and iTXt hold compressed. False where it is left out. */
static bool unpack(reader *at, const char *key, const uint8_t *data, size_t length, raw_text *text) {
    enum { STEP = 1 << 16 };
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)data,
                       .avail_in = (uInt)length, /* a chunk has less than 2^31 bytes */
                       .zalloc = take_memory,
                       .zfree = give_memory};
    int result = inflateInit(&stream);
    while (result == Z_OK && text->length <= MAX_TEXT_BYTES) {
        if (!pld_grow((void **)&text->value, &text->capacity, text->length + STEP + 1, 1)) {
            result = Z_MEM_ERROR;
            break;
        }
        stream.next_out = (Bytef *)text->value + text->length;
        stream.avail_out = STEP;
        result = inflate(&stream, Z_NO_FLUSH);
        text->length += STEP - stream.avail_out;
    }
    inflateEnd(&stream);
    at->out_of_memory = at->out_of_memory || result == Z_MEM_ERROR;
    if (result == Z_STREAM_END && text->value && text->length <= MAX_TEXT_BYTES) {
        text->value[text->length] = '\0';
        return true;
    }
    if (result == Z_OK || result == Z_STREAM_END) {
        leave_out(at, key, "expected at most %d bytes when unpacked, found more", (int)MAX_TEXT_BYTES);
    } else {
        leave_out(at, key, "its compressed data is damaged");
    }
    return false;
}

/** The text as it stands. False where it is left out. */
static bool copy_plain(reader *at, const char *key, const uint8_t *data, size_t length, raw_text *text) {
    if (length > MAX_TEXT_BYTES) {
        leave_out(at, key, "expected at most %d bytes, found %zu", (int)MAX_TEXT_BYTES, length);
        return false;
    }
    text->value = pld_copy_bytes((const char *)data, length);
    text->length = length;
    at->out_of_memory = at->out_of_memory || !text->value;
    return text->value != NULL;
}

/** Skip up to and with the next zero byte; false: there is none. */
static bool skip_word(const uint8_t **data, size_t *length) {
    const uint8_t *end = memchr(*data, 0, *length);
    if (!end) {
        return false;
    }
    *length -= (size_t)(end + 1 - *data);
    *data = end + 1;
    return true;
}

/** What follows the keyword of iTXt: two bytes about compression, language, keyword in it, text. */
static bool read_international(reader *at, const char *key, const uint8_t *data, size_t length,
                               raw_text *text) {
    const bool packed = length >= 2 && data[0] != 0;
    const bool known = length >= 2 && (!packed || data[1] == 0);
    size_t rest = known ? length - 2 : 0;
    const uint8_t *value = known ? data + 2 : data;
    if (!known || !skip_word(&value, &rest) || !skip_word(&value, &rest)) {
        leave_out(at, key, "the iTXt chunk is damaged");
        return false;
    }
    return packed ? unpack(at, key, value, rest, text) : copy_plain(at, key, value, rest, text);
}

/** What follows the keyword, by the kind of chunk. */
static bool read_value(reader *at, const pld_png_chunk *chunk, const char *key, const uint8_t *data,
                       size_t length, raw_text *text) {
    if (is_type(chunk, "iTXt")) {
        return read_international(at, key, data, length, text);
    }
    text->latin1 = true;
    if (is_type(chunk, "tEXt")) {
        return copy_plain(at, key, data, length, text);
    }
    if (length < 1 || data[0] != 0) {
        leave_out(at, key, "expected a zTXt chunk of compression method 0, found another");
        return false;
    }
    return unpack(at, key, data + 1, length - 1, text);
}

/** A copy in UTF-8 of text that is UTF-8 or, where it is not or `latin1` says so, Latin-1. NULL: no memory.
 */
static char *copy_text(const char *text, bool latin1) {
    bool ascii = false;
    if (pld_png_is_utf8(text, &ascii) && (ascii || !latin1)) {
        return pld_copy_string(text);
    }
    char *copy = pld_allocate(strlen(text) * 2 + 1, 1);
    char *end = copy;
    for (const unsigned char *c = (const unsigned char *)text; copy && *c; c++) {
        if (*c < 0x80) {
            *end++ = (char)*c;
        } else {
            *end++ = (char)(0xc0 | *c >> 6);
            *end++ = (char)(0x80 | (*c & 0x3f));
        }
    }
    return copy;
}

/** Take `key` and `value`, new memory or NULL, into the picture. */
static void add(reader *at, char *key, char *value) {
    pld_png_picture *picture = at->picture;
    void *texts = picture->texts;
    const bool done =
        key && value && pld_grow(&texts, &at->capacity, picture->text_count + 1, sizeof *picture->texts);
    picture->texts = texts;
    if (done) {
        picture->texts[picture->text_count++] = (pld_png_text){key, value};
    } else {
        at->out_of_memory = true;
        pld_free(key);
        pld_free(value);
    }
}

/** Whether there is room for one more text; asked before it is unpacked, so that many small chunks that
 * unpack to long texts cost no more than one. */
static bool has_room(reader *at, const char *key) {
    if (at->chunks++ >= MAX_TEXTS) {
        leave_out(at, key, "expected at most %d texts, found more", (int)MAX_TEXTS);
    } else if (at->all_bytes > MAX_ALL_BYTES) {
        leave_out(at, key, "expected at most %d bytes in all texts together, found more", (int)MAX_ALL_BYTES);
    }
    return at->chunks <= MAX_TEXTS && at->all_bytes <= MAX_ALL_BYTES;
}

/** Whether a text that was read is one; zero bytes at its end are dropped, as some writers count one in. */
static bool is_text(reader *at, const char *key, raw_text *text) {
    while (text->length > 0 && text->value[text->length - 1] == '\0') {
        text->length--;
    }
    const char *zero = memchr(text->value, 0, text->length);
    if (zero) {
        leave_out(at, key, "found a zero byte at its byte %td, expected text", zero - text->value);
    }
    return !zero;
}

/** One tEXt, zTXt or iTXt chunk. */
static void read_text(reader *at, const pld_png_chunk *chunk) {
    const uint8_t *data = chunk->data;
    size_t length = chunk->length;
    raw_text text = {0};
    const bool parted = skip_word(&data, &length);
    char *raw_key =
        pld_copy_bytes((const char *)chunk->data, parted ? (size_t)(data - 1 - chunk->data) : length);
    char *key = raw_key ? copy_text(raw_key, true) : NULL;
    at->out_of_memory = at->out_of_memory || !key;
    if (key && is_type(chunk, "tEXt") && strcmp(key, "exif") == 0) { /* a record of bytes */
        at->exif = data;
        at->exif_size = length;
    } else if (key && !parted) {
        leave_out(at, key, "expected a zero byte after the key, found none");
    } else if (key && has_room(at, key) && read_value(at, chunk, key, data, length, &text) &&
               is_text(at, key, &text)) {
        add(at, key, copy_text(text.value, text.latin1));
        key = NULL;
    }
    at->all_bytes += text.length;
    pld_free(key);
    pld_free(raw_key);
    pld_free(text.value);
}

/** The last text of this key, which is the one that counts; NULL: there is none. */
static const char *find_text(const reader *at, const char *key) {
    for (size_t i = at->picture->text_count; i > 0; i--) {
        if (strcmp(at->picture->texts[i - 1].key, key) == 0) {
            return at->picture->texts[i - 1].value;
        }
    }
    return NULL;
}

/** What the EXIF record, else XMP says. */
static void read_exif(reader *at, int *orientation) {
    size_t size = 0;
    uint8_t *profile = NULL;
    const char *text = at->exif ? NULL : find_text(at, "Raw profile type exif");
    at->out_of_memory = !pld_exif_read_profile(text, &profile, &size) || at->out_of_memory;
    size = at->exif ? at->exif_size : size;
    const uint8_t *data = at->exif ? at->exif : profile;
    const pld_exif exif = data ? pld_exif_read(data, size) : (pld_exif){0};
    const char *xmp = find_text(at, "XML:com.adobe.xmp");
    *orientation = exif.orientation || !xmp ? exif.orientation : pld_xmp_orientation(xmp, strlen(xmp));
    if (exif.comment) {
        add(at, pld_copy_string("UserComment"), pld_exif_comment_text(&exif));
    }
    pld_free(profile);
}

pld_status pld_png_read_texts(const uint8_t *png, size_t size, const char *name, pld_png_picture *picture,
                              int *orientation, pld_error *error) {
    reader at = {.name = name, .picture = picture};
    pld_png_chunk chunk;
    for (size_t place = PLD_PNG_SIGNATURE_BYTES; pld_png_next_chunk(png, size, &place, &chunk);) {
        if (is_type(&chunk, "IEND")) {
            break;
        }
        if (is_type(&chunk, "tEXt") || is_type(&chunk, "zTXt") || is_type(&chunk, "iTXt")) {
            read_text(&at, &chunk);
        } else if (is_type(&chunk, "eXIf")) {
            at.exif = chunk.data;
            at.exif_size = chunk.length;
        }
    }
    read_exif(&at, orientation);
    return at.out_of_memory
               ? pld_fail(error, PLD_ERROR_MEMORY, "%s: out of memory for the picture's texts", name)
               : PLD_OK;
}
