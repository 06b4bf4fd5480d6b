/* SPDX-License-Identifier: Apache-2.0 */
/** Small letters for labels: Latin with its marks, Greek, common symbols; a box for anything else. text.h
 * draws lines of them. */
#ifndef PLADIS_CLI_FONT_H
#define PLADIS_CLI_FONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Rows and columns in dots: 3 rows above for marks, 8 of the letter (the last below the line), 1 more. */
enum {
    FONT_WIDTH = 5,
    FONT_ABOVE = 3,
    FONT_BODY = 8,
    FONT_MARK = 2,
    FONT_ROWS = FONT_ABOVE + FONT_BODY + 1,
    FONT_ADVANCE = 6, /**< from letter to letter */
    FONT_LINE = 12    /**< from line to line */
};

/** Rows from the top, the leftmost dot in bit 4. */
typedef struct font_glyph {
    uint8_t rows[FONT_ROWS];
} font_glyph;

/** Whether `character` (a code point) has a drawing of its own. */
bool font_has(uint32_t character);

/** The letter with its combining marks; a box where it is unknown. Unknown marks are left out. */
void font_draw_letter(uint32_t character, const uint32_t *marks, size_t mark_count, font_glyph *glyph);

#endif
