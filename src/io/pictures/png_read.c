/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "core/mapping.h"
#include "core/memory.h"
#include "io/pictures/png.h"
#include "io/pictures/png_library.h"
#include "io/pictures/png_texts.h"
#include "io/pictures/turn.h"

enum { MAX_FILE_BYTES = 512 << 20 };

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

/** Width and height of the header, before libpng sees them: it does not say what it found. */
static pld_status check_size(const pld_png_chunk *header, const char *name, pld_error *error) {
    const size_t width = png_get_uint_32(header->data), height = png_get_uint_32(header->data + 4);
    if (width > PLD_PNG_MAX_SIDE || height > PLD_PNG_MAX_SIDE) {
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: expected a picture of at most %d pixels on each side, found %zu x %zu; scale it down", name,
            (int)PLD_PNG_MAX_SIDE, width, height);
    }
    if (width * height > PLD_PNG_MAX_READ_PIXELS) {
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: expected a picture of at most %d pixels, found %zu x %zu, that is %zu; scale it down", name,
            (int)PLD_PNG_MAX_READ_PIXELS, width, height, width * height);
    }
    return PLD_OK;
}

/** Walk over the chunks, so that no claimed length beyond the file's end makes libpng allocate for it. */
static pld_status check_chunks(const uint8_t *data, size_t size, const char *name, pld_error *error) {
    enum { HEADER_BYTES = 13 };
    size_t at = PLD_PNG_SIGNATURE_BYTES;
    pld_png_chunk chunk;
    while (pld_png_next_chunk(data, size, &at, &chunk)) {
        if (memcmp(chunk.type, "IHDR", 4) == 0 && chunk.length == HEADER_BYTES) {
            PLD_TRY(check_size(&chunk, name, error));
        }
        if (memcmp(chunk.type, "IEND", 4) == 0) {
            return PLD_OK; /* what follows is not looked at */
        }
    }
    return pld_fail(error, PLD_ERROR_FORMAT, "%s: damaged PNG: the file ends %s", name,
                    at < size ? "inside a chunk" : "without its last chunk");
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

/** Run libpng. False when it has jumped out; nothing local is used after the jump. */
static bool run_decoder(decoder *at) {
    if (setjmp(png_jmpbuf(at->png))) {
        return false;
    }
    png_set_read_fn(at->png, at, take);
    png_set_user_limits(at->png, PLD_PNG_MAX_SIDE, PLD_PNG_MAX_SIDE);
    png_set_chunk_malloc_max(at->png, 0); /* no chunk is longer than the file, and none of those is stored */
    png_set_keep_unknown_chunks(at->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_crc_action(at->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_read_info(at->png, at->info);
    request_rgb(at);
    prepare_rows(at);
    png_read_image(at->png, at->rows);
    png_read_end(at->png, at->info);
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

/** Texts, and the pixels as the file says that they are to be turned. */
static pld_status describe(const uint8_t *png, size_t size, const char *name, pld_png_picture *picture,
                           pld_error *error) {
    int orientation = 0;
    PLD_TRY(pld_png_read_texts(png, size, name, picture, &orientation, error));
    return pld_picture_turn(&picture->rgb, &picture->width, &picture->height, orientation)
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_MEMORY, "%s: out of memory for rotating the picture", name);
}

pld_status pld_png_decode(const uint8_t *png, size_t size, const char *name, pld_png_picture *picture,
                          pld_error *error) {
    *picture = (pld_png_picture){0};
    if (size < PLD_PNG_SIGNATURE_BYTES || png_sig_cmp(png, 0, PLD_PNG_SIGNATURE_BYTES) != 0) {
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
    pld_status status =
        done ? describe(png, size, name, picture, error)
             : pld_png_failure(&at.guard, PLD_ERROR_FORMAT, "damaged or unsupported PNG", error);
    if (status != PLD_OK) {
        pld_png_picture_free(picture);
    }
    return status;
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
