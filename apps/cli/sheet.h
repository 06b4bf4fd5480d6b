/* SPDX-License-Identifier: Apache-2.0 */
/** Several pictures in one, with a line of text under each. */
#ifndef PLADIS_CLI_SHEET_H
#define PLADIS_CLI_SHEET_H

#include <stdbool.h>

#include <pladis/pladis.h>

typedef struct sheet_cell {
    const pld_image *image;
    const char *label; /**< UTF-8; what the font lacks is drawn as a box */
} sheet_cell;

/** Lay out the cells in rows of `columns` on white, each picture enlarged `zoom` times. Free with sheet_free.
 * False after an error line. */
bool sheet_compose(const sheet_cell *cells, size_t count, size_t columns, int zoom, pld_image *sheet);

/** The same question before there are pixels: whether the sheet fits one picture, where the cells' images
 * have their sizes. Gives the exit code. */
int sheet_check(const sheet_cell *cells, size_t count, size_t columns, int zoom);

/** Its extents in pixels. */
void sheet_measure(const sheet_cell *cells, size_t count, size_t columns, int zoom, size_t *width,
                   size_t *height);

void sheet_free(pld_image *sheet);

#endif
