/* SPDX-License-Identifier: Apache-2.0 */
/** What pictures need of EXIF: how they are to be turned, and the remark that some programs write into it. */
#ifndef PLD_IO_PICTURES_EXIF_H
#define PLD_IO_PICTURES_EXIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What an EXIF record says. Points into the record. */
typedef struct pld_exif {
    int orientation;        /**< 1 to 8 as TIFF 6.0 numbers them; 1 for other numbers; 0: none is stated */
    const uint8_t *comment; /**< UserComment with the eight bytes that say its character set; NULL: none */
    size_t comment_size;
} pld_exif;

/** Read a TIFF structure, with or without "Exif\0\0" before it, in either byte order, as Pillow does: damage
 * ends the reading, what stands before it counts, and of two entries for one tag the first. */
pld_exif pld_exif_read(const uint8_t *data, size_t size);

/** The comment as UTF-8 text in new memory, freed with pld_free; "" where there is none. NULL: no memory. */
char *pld_exif_comment_text(const pld_exif *exif);

/** The bytes of a "Raw profile type exif", as ImageMagick and others write EXIF into a text: a heading of
 * three lines, then hexadecimal digits. `*record`, freed with pld_free, is NULL where there is no text or it
 * is damaged. False: no memory. */
bool pld_exif_read_profile(const char *text, uint8_t **record, size_t *size);

#endif
