/* SPDX-License-Identifier: Apache-2.0 */
/** Pictures in rows and columns on one page: heads say what a row and a column share, notes what is a
 * picture's alone. Sheets, comparisons, grids, attention maps and contact sheets are all laid out by this. */
#ifndef PLADIS_CLI_PAGES_SHEET_H
#define PLADIS_CLI_PAGES_SHEET_H

#include "canvas/canvas.h"

typedef enum sheet_mark { SHEET_UNMARKED, SHEET_RIGHT, SHEET_WRONG } sheet_mark;

typedef struct sheet_cell {
    const pld_image *image; /**< NULL: the place stays empty */
    const char *note;       /**< under the picture; NULL or "": nothing */
    const char *widest;     /**< what the note may become at most, where that is known after drawing only:
                               room is left for it, so that results do not change a page's size. Or NULL */
    sheet_mark mark;        /**< a sign before the note */
} sheet_cell;

/** A bar of colours at the right of a row: what a colour of its pictures means. */
typedef struct sheet_scale {
    double most;                                        /**< value of the brightest colour; 0: no bar */
    void (*colour)(double part, canvas_colour *result); /**< of `part` of `most`, from 0 to 1 */
} sheet_scale;

/** Texts are UTF-8; NULL or "" leaves one out. */
typedef struct sheet_page {
    const char *title, *subtitle, *footnote;
    const char *const *column_heads; /**< [columns], or NULL */
    const char *const *row_heads;    /**< [rows], or NULL */
    const sheet_cell *cells;         /**< [rows, columns] */
    const sheet_scale *scales;       /**< [rows], or NULL */
    const char *scale_head;          /**< over the bars: what is measured, in percent */
    size_t rows, columns;
    int zoom; /**< pixels of the page for one of a picture, across and down */
} sheet_page;

/** Lay out and draw the page; free with canvas_free. Gives the exit code; `what` names the page in error
 * lines. With NULL nothing is drawn: whether the page fits one picture can be asked before its pictures have
 * pixels, by their sizes. */
int sheet_compose(const sheet_page *s, const char *what, pld_image *page);

/** The page's extents in pixels, by the same layout. Gives the exit code. */
int sheet_measure(const sheet_page *s, const char *what, size_t *width, size_t *height);

/** A sheet's cells in rows of `columns`, the last one filled up with empty ones: how many rows that makes. */
size_t sheet_rows(size_t count, size_t columns);

#endif
