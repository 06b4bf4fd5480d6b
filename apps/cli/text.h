/* SPDX-License-Identifier: Apache-2.0 */
/** Lines of text in a picture. Any bytes may be given: what is no UTF-8 or unknown is drawn as a box. */
#ifndef PLADIS_CLI_TEXT_H
#define PLADIS_CLI_TEXT_H

#include "canvas.h"
#include "font.h"

enum { TEXT_MOST_MARKS = 3, TEXT_MOST_LETTERS = 512, TEXT_MOST_LINES = 8 };

/** A letter with the marks that it carries. */
typedef struct text_letter {
    uint32_t character;
    uint32_t marks[TEXT_MOST_MARKS];
    size_t mark_count;
} text_letter;

/** A text broken into lines: line i is letters[begin[i]] up to letters[end[i]]. */
typedef struct text_block {
    text_letter letters[TEXT_MOST_LETTERS];
    size_t count;
    size_t begin[TEXT_MOST_LINES], end[TEXT_MOST_LINES];
    size_t lines;
} text_block;

/** Break `utf8` at blanks into at most `most_lines` lines of at most `width` pixels when drawn at `scale`;
 * dots replace what does not fit the last one. */
void text_wrap(const char *utf8, int width, int scale, size_t most_lines, text_block *block);

/** The lines, with the upper left corner of the first at (left, top). */
void text_draw_block(pld_image *image, const text_block *block, int left, int top, int scale,
                     canvas_colour colour);

/** Pixels from line to line, and across one line of `utf8`. */
int text_line_height(int scale);
int text_width(const char *utf8, int scale);

/** One line. */
void text_draw(pld_image *image, const char *utf8, int left, int top, int scale, canvas_colour colour);

/** A scale that suits a picture of so many pixels across: 1, 2 … */
int text_scale_for(int width);

#endif
