/* SPDX-License-Identifier: Apache-2.0 */
/** Pictures of 8-bit RGB in PNG files, with text chunks. */
#ifndef PLD_IO_PICTURES_PNG_H
#define PLD_IO_PICTURES_PNG_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

enum {
    PLD_PNG_MAX_SIDE = 16384,
    PLD_PNG_MAX_READ_PIXELS = 1 << 26 /**< a small file can claim to be a huge picture */
};

/** A text chunk. Key: 1 to 79 printable ASCII characters where it is written, any UTF-8 where it was read. Value:
 * UTF-8 (written as tEXt if ASCII, else iTXt). */
typedef struct pld_png_text {
    const char *key;
    const char *value;
} pld_png_text;

/** A picture that was read; free with pld_png_picture_free. */
typedef struct pld_png_picture {
    int width;
    int height;
    uint8_t *rgb;        /**< [height, width, 3], rows from the top */
    pld_png_text *texts; /**< [text_count], values in UTF-8 */
    size_t text_count;
    pld_error text_problem; /**< the first text that could not be read and is not among them; else PLD_OK */
} pld_png_picture;

/** Encode `rgb` [height, width, 3] to a new buffer of `*size` bytes, freed with pld_free. */
pld_status pld_png_encode(const uint8_t *rgb, int width, int height, const pld_png_text *texts,
                          size_t text_count, uint8_t **png, size_t *size, pld_error *error);

/** Encode to a file, which appears whole or not at all. */
pld_status pld_png_write(const char *path, const uint8_t *rgb, int width, int height,
                         const pld_png_text *texts, size_t text_count, pld_error *error);

/** Decode any PNG to 8-bit RGB (grey and palettes expanded, 16 bits reduced, transparency over black
 * dropped), turned as its EXIF record or XMP says. A UserComment in EXIF is among the texts. `name` stands for the file in messages. Refuses sides beyond PLD_PNG_MAX_SIDE, more than
 * PLD_PNG_MAX_READ_PIXELS, and damaged data. Give the picture back with pld_png_picture_free; after a failure
 * it is empty.
 */
pld_status pld_png_decode(const uint8_t *png, size_t size, const char *name, pld_png_picture *picture,
                          pld_error *error);

pld_status pld_png_read(const char *path, pld_png_picture *picture, pld_error *error);

void pld_png_picture_free(pld_png_picture *picture);

#endif
