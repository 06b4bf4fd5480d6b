/* SPDX-License-Identifier: Apache-2.0 */
/** Pictures that are stored otherwise than they are to be seen. */
#ifndef PLD_IO_PICTURES_TURN_H
#define PLD_IO_PICTURES_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How XMP, text[length], says that the picture is to be turned; 0: it does not say. */
int pld_xmp_orientation(const char *text, size_t length);

/** Turn `rgb` [*height, *width, 3] as `orientation` says, into new memory where anything changes; the sides
 * are exchanged where rows become columns. False: no memory, and nothing has changed. */
bool pld_picture_turn(uint8_t **rgb, int *width, int *height, int orientation);

#endif
