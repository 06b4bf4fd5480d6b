/* SPDX-License-Identifier: Apache-2.0 */
/** Where the parts of a sheet stand. Widths come first: a column is as wide as its widest picture or the
 * longest word under or over it, so that no word is broken; heights follow from how the texts wrap. */
#ifndef PLADIS_CLI_PAGES_SHEET_LAYOUT_H
#define PLADIS_CLI_PAGES_SHEET_LAYOUT_H

#include "canvas/text.h"
#include "pages/sheet.h"

/** Styles of a page, by what a text does there. */
typedef struct sheet_styles {
    text_style title, head, label, note, quiet; /**< `quiet` is for what explains the page */
} sheet_styles;

typedef struct sheet_layout {
    sheet_styles styles;
    int margin, gap;   /**< around the page, between pictures */
    int width, height; /**< of the page */
    int title_top, subtitle_top, cells_top, footnote_top;
    int text_width;      /**< of title, subtitle and footnote */
    int row_head_width;  /**< 0: there are none */
    int scale_left;      /**< of the bars of colours */
    int scale_width;     /**< of one bar; 0: there are none */
    int *lefts, *widths; /**< [columns] */
    int *tops, *heights; /**< [rows], of the pictures alone */
} sheet_layout;

enum { SHEET_TITLE_LINES = 3, SHEET_HEAD_LINES = 4, SHEET_NOTE_LINES = 4 };

/** Lines that a row's head may take beside its pictures. */
size_t sheet_row_head_lines(typeface *face, const sheet_layout *layout, size_t row);

/** False after an error line about `what`. Free with sheet_layout_free in any case. */
bool sheet_layout_make(typeface *face, const sheet_page *s, const char *what, sheet_layout *layout);
void sheet_layout_free(sheet_layout *layout);

#endif
