/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "core/mapping.h"
#include "core/memory.h"
#include "io/png.h"
#include "io/png_library.h"

enum { MAX_FILE_BYTES = 512 << 20, MAX_CHUNK_BYTES = 16 << 20, MAX_CHUNKS = 1000 };
enum { SIGNATURE_BYTES = 8, CHUNK_FRAME_BYTES = 12 /* length, type, checksum */ };

/** Everything that lives across libpng's jumps. */
typedef struct decoder {
    pld_png_guard guard;
    png_structp png;
    png_infop info;
    const uint8_t *data; /* [size], of which `used` bytes have been read */
    size_t size;
    size_t used;
    uint8_t **rows; /* [height], into picture->rgb */
    pld_png_picture *picture;
} decoder;

/** Walk over the chunks, so that no claimed length beyond the file's end makes libpng allocate for it. */
static pld_status check_chunks(const uint8_t *data, size_t size, const char *name, pld_error *error) {
    size_t at = SIGNATURE_BYTES;
    while (at < size) {
        size_t rest = size - at;
        size_t length = rest < CHUNK_FRAME_BYTES ? 0 : png_get_uint_32(data + at);
        if (rest < CHUNK_FRAME_BYTES || length > rest - CHUNK_FRAME_BYTES) {
            return pld_fail(error, PLD_ERROR_FORMAT, "%s: damaged PNG: the file ends inside a chunk", name);
        }
        if (memcmp(data + at + 4, "IEND", 4) == 0) {
            return PLD_OK; /* what follows is not looked at */
        }
        at += CHUNK_FRAME_BYTES + length;
    }
    return pld_fail(error, PLD_ERROR_FORMAT, "%s: damaged PNG: the file ends without its last chunk", name);
}

/** libpng's input callback. */
static void take(png_structp png, png_bytep bytes, size_t count) {
    decoder *at = png_get_io_ptr(png);
    if (count > at->size - at->used) {
        png_error(png, "the file ends early; it is cut short");
    }
    memcpy(bytes, at->data + at->used, count);
    at->used += count;
}

/** Ask libpng for 8-bit RGB whatever the file holds. */
static void request_rgb(decoder *at) {
    png_set_expand(at->png);
    png_set_scale_16(at->png);
    png_set_gray_to_rgb(at->png);
    png_set_strip_alpha(at->png);
    (void)png_set_interlace_handling(at->png);
    png_read_update_info(at->png, at->info);
}

/** Allocate the picture once its size is known. */
static void prepare_rows(decoder *at) {
    size_t width = png_get_image_width(at->png, at->info);
    size_t height = png_get_image_height(at->png, at->info);
    if (width * height > PLD_PNG_MAX_READ_PIXELS) {
        png_error(at->png, "the picture has too many pixels");
    }
    if (png_get_rowbytes(at->png, at->info) != width * 3) {
        png_error(at->png, "rows have an unexpected size");
    }
    at->picture->width = (int)width;
    at->picture->height = (int)height;
    at->picture->rgb = pld_allocate(width * height, 3);
    at->rows = pld_allocate(height, sizeof *at->rows);
    if (!at->picture->rgb || !at->rows) {
        at->guard.out_of_memory = true;
        png_error(at->png, "out of memory");
    }
    for (size_t y = 0; y < height; y++) {
        at->rows[y] = at->picture->rgb + y * width * 3;
    }
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

/** Copy the text chunks into the picture. */
static void copy_texts(decoder *at) {
    png_textp texts = NULL;
    int count = png_get_text(at->png, at->info, &texts, NULL);
    at->picture->texts = pld_allocate((size_t)count, sizeof *at->picture->texts);
    at->guard.out_of_memory = at->guard.out_of_memory || !at->picture->texts;
    for (int i = 0; i < count && !at->guard.out_of_memory; i++) {
        pld_png_text *text = &at->picture->texts[at->picture->text_count++];
        bool latin1 = texts[i].compression < PNG_ITXT_COMPRESSION_NONE;
        text->key = copy_text(texts[i].key, true);
        text->value = copy_text(texts[i].text ? texts[i].text : "", latin1);
        at->guard.out_of_memory = !text->key || !text->value;
    }
}

/** Run libpng. False when it has jumped out; nothing local is used after the jump. */
static bool run_decoder(decoder *at) {
    if (setjmp(png_jmpbuf(at->png))) {
        return false;
    }
    png_set_read_fn(at->png, at, take);
    png_set_user_limits(at->png, PLD_PNG_MAX_SIDE, PLD_PNG_MAX_SIDE);
    png_set_chunk_malloc_max(at->png, MAX_CHUNK_BYTES);
    png_set_chunk_cache_max(at->png, MAX_CHUNKS);
    png_set_crc_action(at->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_read_info(at->png, at->info);
    request_rgb(at);
    prepare_rows(at);
    png_read_image(at->png, at->rows);
    png_read_end(at->png, at->info);
    copy_texts(at);
    return true;
}

static pld_status refuse_foreign(const uint8_t *data, size_t size, const char *name, pld_error *error) {
    const char *found = "something else";
    if (size >= 2 && data[0] == 0xff && data[1] == 0xd8) {
        found = "a JPEG picture; convert it";
    } else if (size >= 12 && memcmp(data, "RIFF", 4) == 0 && memcmp(data + 8, "WEBP", 4) == 0) {
        found = "a WebP picture; convert it";
    }
    return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: expected a PNG picture, found %s", name, found);
}

pld_status pld_png_decode(const uint8_t *png, size_t size, const char *name, pld_png_picture *picture,
                          pld_error *error) {
    *picture = (pld_png_picture){0};
    if (size < SIGNATURE_BYTES || png_sig_cmp(png, 0, SIGNATURE_BYTES) != 0) {
        return refuse_foreign(png, size, name, error);
    }
    PLD_TRY(check_chunks(png, size, name, error));
    decoder at = {.guard.name = name, .data = png, .size = size, .picture = picture};
    at.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &at.guard, pld_png_raise, pld_png_ignore,
                                      &at.guard, pld_png_allocate, pld_png_release);
    at.info = at.png ? png_create_info_struct(at.png) : NULL;
    bool done = at.info && run_decoder(&at) && !at.guard.out_of_memory;
    png_destroy_read_struct(&at.png, &at.info, NULL);
    pld_free(at.rows);
    if (!done) {
        pld_png_picture_free(picture);
        return pld_png_failure(&at.guard, PLD_ERROR_FORMAT, "damaged or unsupported PNG", error);
    }
    return PLD_OK;
}

pld_status pld_png_read(const char *path, pld_png_picture *picture, pld_error *error) {
    *picture = (pld_png_picture){0};
    pld_mapping *file = NULL;
    PLD_TRY(pld_mapping_open(path, &file, error));
    uint64_t size = pld_mapping_size(file);
    uint8_t *data = size > MAX_FILE_BYTES ? NULL : pld_allocate((size_t)size, 1);
    pld_status status = PLD_OK;
    if (size > MAX_FILE_BYTES) {
        status = pld_fail(error, PLD_ERROR_UNSUPPORTED,
                          "%s: expected a picture of at most %d bytes, found %" PRIu64, path,
                          (int)MAX_FILE_BYTES, size);
    } else if (!data) {
        status = pld_fail_memory(error, (size_t)size, path);
    } else {
        status = pld_mapping_read(file, 0, (size_t)size, data, NULL, error);
    }
    pld_mapping_close(&file);
    if (status == PLD_OK) {
        status = pld_png_decode(data, (size_t)size, path, picture, error);
    }
    pld_free(data);
    return status;
}

void pld_png_picture_free(pld_png_picture *picture) {
    for (size_t i = 0; i < picture->text_count; i++) {
        pld_free((char *)picture->texts[i].key);
        pld_free((char *)picture->texts[i].value);
    }
    pld_free(picture->texts);
    pld_free(picture->rgb);
    *picture = (pld_png_picture){0};
}
