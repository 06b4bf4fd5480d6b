/* SPDX-License-Identifier: Apache-2.0 */
/** Lines of text in a picture. Any bytes may be given: what is no UTF-8 or has no drawing becomes a box of
 * the width that it would have. */
#ifndef PLADIS_CLI_CANVAS_TEXT_H
#define PLADIS_CLI_CANVAS_TEXT_H

#include "canvas/canvas.h"
#include "canvas/typeface.h"

enum { TEXT_MOST_MARKS = 3, TEXT_MOST_LETTERS = 512, TEXT_MOST_LINES = 16 };

/** How a text is set: pixels to the em, weight, colour. */
typedef struct text_style {
    int size;
    typeface_weight weight;
    canvas_colour colour;
} text_style;

/** What a reader sees as one letter, with the marks that it carries. */
typedef struct text_letter {
    uint32_t base;
    uint32_t marks[TEXT_MOST_MARKS];
    int mark_count;
    bool blank, wide; /**< `wide`: as an ideograph, beside which a line may break */
} text_letter;

/** A text broken into lines: line i is letters[begin[i]] up to letters[end[i]]. */
typedef struct text_block {
    text_letter letters[TEXT_MOST_LETTERS + 2];
    size_t count;
    size_t begin[TEXT_MOST_LINES], end[TEXT_MOST_LINES];
    size_t lines;
    double width; /**< of the longest line, in pixels */
} text_block;

/** Break `utf8` into at most `most_lines` lines of at most `width` pixels: at blanks and beside ideographs;
 * inside a word only where it is longer than a line. An ellipsis ends the last line where something is left
 * out. */
void text_wrap(typeface *face, const text_style *style, const char *utf8, double width, size_t most_lines,
               text_block *block);

/** Pixels across one line of `utf8`, and across its longest word. */
double text_width(typeface *face, const text_style *style, const char *utf8);
double text_longest_word(typeface *face, const text_style *style, const char *utf8);

/** Pixels from line to line. */
int text_line_height(typeface *face, const text_style *style);

/** Where a line begins. */
typedef enum text_side { TEXT_LEFT, TEXT_CENTRE, TEXT_RIGHT } text_side;

/** The lines from `top` down. `x` is the left edge, the middle or the right edge of the lines, as `side`
 * says. */
void text_draw_block(typeface *face, const text_style *style, const text_block *block, pld_image *image,
                     double x, int top, text_side side);

/** One line, as text_draw_block. */
void text_draw(typeface *face, const text_style *style, const char *utf8, pld_image *image, double x, int top,
               text_side side);

#endif
