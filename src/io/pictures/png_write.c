/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>

#include "core/memory.h"
#include "io/files/atomic_file.h"
#include "io/pictures/png.h"
#include "io/pictures/png_library.h"

enum { MAX_KEY_BYTES = 79 };

/** Everything that lives across libpng's jumps. */
typedef struct encoder {
    pld_png_guard guard;
    png_structp png;
    png_infop info;
    const uint8_t *rgb;
    int width;
    int height;
    png_text *texts; /* [text_count] */
    int text_count;
    uint8_t *data; /* what has been encoded */
    size_t size;
    size_t capacity;
} encoder;

/** The rules of the format for keywords, held to ASCII. */
static bool key_is_valid(const char *key) {
    size_t length = strlen(key);
    if (length == 0 || length > MAX_KEY_BYTES || key[0] == ' ' || key[length - 1] == ' ') {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (key[i] < 0x20 || key[i] > 0x7e || (key[i] == ' ' && key[i + 1] == ' ')) {
            return false;
        }
    }
    return true;
}

/** Bring the text chunks into libpng's form; it copies key and value later. */
static pld_status prepare_texts(encoder *at, const pld_png_text *texts, size_t count, pld_error *error) {
    at->texts = pld_allocate(count, sizeof *at->texts);
    if (!at->texts) {
        return pld_fail_memory(error, count * sizeof *at->texts, "text of a picture");
    }
    for (size_t i = 0; i < count; i++) {
        bool ascii = false;
        if (!key_is_valid(texts[i].key) || !pld_png_is_utf8(texts[i].value, &ascii)) {
            return pld_fail(
                error, PLD_ERROR_ARGUMENT,
                "%s: text chunk '%.80s': expected a key of 1 to %d ASCII characters and a value in "
                "UTF-8",
                at->guard.name, texts[i].key, (int)MAX_KEY_BYTES);
        }
        png_text *text = &at->texts[at->text_count++];
        text->compression = ascii ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
        text->key = (char *)texts[i].key;
        text->text = (char *)texts[i].value;
    }
    return PLD_OK;
}

/** libpng's output callback: append to the buffer. */
static void append(png_structp png, png_bytep bytes, size_t count) {
    encoder *at = png_get_io_ptr(png);
    size_t wanted = 0;
    if (!pld_add(at->size, count, &wanted) || !pld_grow((void **)&at->data, &at->capacity, wanted, 1)) {
        at->guard.out_of_memory = true;
        png_error(png, "out of memory");
    }
    memcpy(at->data + at->size, bytes, count);
    at->size = wanted;
}

static void flush_nothing(png_structp png) {
    (void)png;
}

/** Run libpng. False when it has jumped out; nothing local is used after the jump. */
static bool run_encoder(encoder *at) {
    if (setjmp(png_jmpbuf(at->png))) {
        return false;
    }
    png_set_write_fn(at->png, at, append, flush_nothing);
    png_set_IHDR(at->png, at->info, (png_uint_32)at->width, (png_uint_32)at->height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_text(at->png, at->info, at->texts, at->text_count);
    png_write_info(at->png, at->info);
    size_t row_bytes = (size_t)at->width * 3;
    for (size_t y = 0; y < (size_t)at->height; y++) {
        png_write_row(at->png, at->rgb + y * row_bytes);
    }
    png_write_end(at->png, at->info);
    return true;
}

/** Set libpng up, run it and take it down. */
static pld_status encode(encoder *at, pld_error *error) {
    at->png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &at->guard, pld_png_raise, pld_png_ignore,
                                        &at->guard, pld_png_allocate, pld_png_release);
    at->info = at->png ? png_create_info_struct(at->png) : NULL;
    /* libpng drops a text chunk silently when memory is out, so the flag counts too */
    bool done = at->info && run_encoder(at) && !at->guard.out_of_memory;
    png_destroy_write_struct(&at->png, &at->info);
    return done ? PLD_OK
                : pld_png_failure(&at->guard, PLD_ERROR_INTERNAL, "the picture cannot be encoded", error);
}

/** pld_png_encode with a name for messages. */
static pld_status encode_named(const char *name, const uint8_t *rgb, int width, int height,
                               const pld_png_text *texts, size_t text_count, uint8_t **png, size_t *size,
                               pld_error *error) {
    *png = NULL;
    *size = 0;
    if (width < 1 || height < 1 || width > PLD_PNG_MAX_SIDE || height > PLD_PNG_MAX_SIDE) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "%s: expected sides of 1 to %d pixels, found %d x %d",
                        name, (int)PLD_PNG_MAX_SIDE, width, height);
    }
    encoder at = {.guard.name = name, .rgb = rgb, .width = width, .height = height};
    pld_status status = prepare_texts(&at, texts, text_count, error);
    if (status == PLD_OK) {
        status = encode(&at, error);
    }
    pld_free(at.texts);
    if (status != PLD_OK) {
        pld_free(at.data);
        return status;
    }
    *png = at.data;
    *size = at.size;
    return PLD_OK;
}

pld_status pld_png_encode(const uint8_t *rgb, int width, int height, const pld_png_text *texts,
                          size_t text_count, uint8_t **png, size_t *size, pld_error *error) {
    return encode_named("PNG", rgb, width, height, texts, text_count, png, size, error);
}

pld_status pld_png_write(const char *path, const uint8_t *rgb, int width, int height,
                         const pld_png_text *texts, size_t text_count, pld_error *error) {
    uint8_t *png = NULL;
    size_t size = 0;
    PLD_TRY(encode_named(path, rgb, width, height, texts, text_count, &png, &size, error));
    pld_status status = pld_atomic_file_save(path, png, size, NULL, error);
    pld_free(png);
    return status;
}
