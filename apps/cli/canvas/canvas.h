/* SPDX-License-Identifier: Apache-2.0 */
/** Pictures that the program composes: sheets, grids, maps. What falls outside the picture is not drawn. */
#ifndef PLADIS_CLI_CANVAS_CANVAS_H
#define PLADIS_CLI_CANVAS_CANVAS_H

#include <stdbool.h>

#include <pladis/pladis.h>

/** Red, green, blue. */
typedef struct canvas_colour {
    uint8_t rgb[3];
} canvas_colour;

/** The page, what is read first, what explains, lines; the signs for right and wrong. */
extern const canvas_colour canvas_page, canvas_text, canvas_quiet, canvas_rule, canvas_right, canvas_wrong;

/** Whether a picture may have this size. */
bool canvas_fits(size_t width, size_t height);

/** The same with an error line. Gives the exit code: one that is too large is the command line's fault. */
int canvas_check(size_t width, size_t height, const char *what);

/** A picture of the page's colour; free with canvas_free, not with pld_image_free. False after an error line
 * that begins with `what` ("the sheet"). */
bool canvas_create(pld_image *image, size_t width, size_t height, const char *what);
void canvas_free(pld_image *image);

void canvas_fill(pld_image *image, int left, int top, int width, int height, canvas_colour colour);
/** Every pixel of `picture` as a square of `zoom` pixels. */
void canvas_paste(pld_image *image, const pld_image *picture, int left, int top, int zoom);
/** Lay `colour` over the picture where `coverage` [height, width] says, 255 being whole. Light is mixed, not
 * its sRGB numbers, so that edges are as dark as they cover. */
void canvas_ink(pld_image *image, int left, int top, const uint8_t *coverage, int width, int height,
                canvas_colour colour);

#endif
