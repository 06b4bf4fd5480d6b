/* SPDX-License-Identifier: Apache-2.0 */
/** The chunks of a PNG that say something about the picture: texts and EXIF. libpng drops without a word
 * those that are damaged, too long or too many; what is read here is whole or said to be missing. */
#ifndef PLD_IO_PICTURES_PNG_TEXTS_H
#define PLD_IO_PICTURES_PNG_TEXTS_H

#include <stdbool.h>

#include "io/pictures/png.h"

enum { PLD_PNG_SIGNATURE_BYTES = 8 };

/** One chunk, inside the file's bytes. */
typedef struct pld_png_chunk {
    const uint8_t *type; /**< [4] */
    const uint8_t *data; /**< [length] */
    size_t length;
} pld_png_chunk;

/** The chunk at `*at`, which moves behind it. False at the end of the bytes, also inside a chunk: then `*at`
 * is not `size`. Start at PLD_PNG_SIGNATURE_BYTES. */
bool pld_png_next_chunk(const uint8_t *png, size_t size, size_t *at, pld_png_chunk *chunk);

/** Put texts, and a UserComment of EXIF as a text of that name, into `picture`; what cannot be read is left
 * out, the first such case written to `picture->text_problem`. `*orientation` is how the picture is to be
 * turned, 1 to 8, as Pillow's ImageOps.exif_transpose finds it. PLD_ERROR_MEMORY alone. */
pld_status pld_png_read_texts(const uint8_t *png, size_t size, const char *name, pld_png_picture *picture,
                              int *orientation, pld_error *error);

#endif
