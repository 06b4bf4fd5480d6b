/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/sheet_layout.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "terminal/message.h"

enum { SMALLEST_TYPE = 12, LARGEST_TYPE = 40 };

static int larger(int a, int b) {
    return a > b ? a : b;
}

/** A place on the page; what lies beyond any page that can be drawn is refused when that is made. */
static int place(double value) {
    return value < INT_MAX / 4 ? (int)value : INT_MAX / 4;
}

static int rounded(double value) {
    return (int)lround(value);
}

static bool is_there(const char *text) {
    return text != NULL && text[0] != '\0';
}

static const sheet_cell *cell_at(const sheet_page *s, size_t row, size_t column) {
    return &s->cells[row * s->columns + column];
}

/** The note for which room is left. */
static const char *widest_note(const sheet_cell *cell) {
    return cell->widest != NULL ? cell->widest : cell->note;
}

/** Type that goes with pictures of so many pixels: 12 beside 128, 22 beside 512, 35 beside 1024. */
static sheet_styles choose_styles(int picture_width) {
    int size = 9 + rounded(picture_width / 40.0);
    size = size < SMALLEST_TYPE ? SMALLEST_TYPE : size > LARGEST_TYPE ? LARGEST_TYPE : size;
    const int small = larger(rounded(0.92 * size), SMALLEST_TYPE);
    return (sheet_styles){.title = {rounded(1.35 * size), TYPEFACE_STRONG, canvas_text},
                          .head = {size, TYPEFACE_STRONG, canvas_text},
                          .label = {size, TYPEFACE_REGULAR, canvas_text},
                          .note = {small, TYPEFACE_REGULAR, canvas_text},
                          .quiet = {small, TYPEFACE_REGULAR, canvas_quiet}};
}

/** Extents of the pictures as they are drawn. */
static void measure_pictures(const sheet_page *s, sheet_layout *layout, int *widest) {
    *widest = 1;
    for (size_t row = 0; row < s->rows; row++) {
        for (size_t column = 0; column < s->columns; column++) {
            const pld_image *image = cell_at(s, row, column)->image;
            if (image != NULL) {
                layout->widths[column] = larger(layout->widths[column], image->width * s->zoom);
                layout->heights[row] = larger(layout->heights[row], image->height * s->zoom);
                *widest = larger(*widest, image->width * s->zoom);
            }
        }
    }
}

/** Widen columns to the longest words over and under their pictures. */
static void widen_for_words(typeface *face, const sheet_page *s, sheet_layout *layout, int most) {
    const sheet_styles *styles = &layout->styles;
    for (size_t column = 0; column < s->columns; column++) {
        double longest = 0;
        if (s->column_heads != NULL) {
            longest = text_longest_word(face, &styles->head, s->column_heads[column]);
        }
        for (size_t row = 0; row < s->rows; row++) {
            const sheet_cell *cell = cell_at(s, row, column);
            const char *note = widest_note(cell);
            if (is_there(note)) {
                const double sign = cell->mark != SHEET_UNMARKED ? 1.3 * styles->note.size : 0;
                longest = fmax(longest, sign + text_longest_word(face, &styles->note, note));
            }
        }
        layout->widths[column] = larger(layout->widths[column], (int)ceil(fmin(longest, most)));
    }
}

/** As wide as the longest head, but no wider than reads well beside the pictures; never narrower than a word.
 */
static int row_head_width(typeface *face, const sheet_page *s, const sheet_layout *layout, int widest) {
    const text_style *style = &layout->styles.label;
    double most = 0, longest = 0;
    for (size_t row = 0; s->row_heads != NULL && row < s->rows; row++) {
        most = fmax(most, text_width(face, style, s->row_heads[row]));
        longest = fmax(longest, text_longest_word(face, style, s->row_heads[row]));
    }
    const double wide = fmax(12 * style->size, 0.75 * widest);
    return (int)ceil(fmin(most, fmax(wide, fmin(longest, 2 * wide))));
}

static int wrapped_height(typeface *face, const text_style *style, const char *text, double width,
                          size_t most_lines) {
    text_block block;
    if (!is_there(text)) {
        return 0;
    }
    text_wrap(face, style, text, width, most_lines, &block);
    return (int)block.lines * text_line_height(face, style);
}

/** From left to right. */
static void place_columns(typeface *face, const sheet_page *s, sheet_layout *layout, int widest) {
    const int size = layout->styles.label.size;
    layout->row_head_width = row_head_width(face, s, layout, widest);
    double left =
        layout->margin + layout->row_head_width + (layout->row_head_width > 0 ? 1.5 * layout->gap : 0);
    for (size_t column = 0; column < s->columns; column++) {
        layout->lefts[column] = place(left);
        left += layout->widths[column] + layout->gap;
    }
    if (s->scales != NULL) {
        layout->scale_left = place(left) + layout->gap / 2;
        layout->scale_width = size;
        const double head =
            is_there(s->scale_head) ? text_longest_word(face, &layout->styles.head, s->scale_head) : 0;
        left = layout->scale_left + fmax(6.5 * size, head) + layout->gap;
    }
    const double table = left - layout->gap - layout->margin;
    const double title = is_there(s->title) ? text_width(face, &layout->styles.title, s->title) : 0;
    layout->text_width = place(ceil(fmax(table, fmin(title, 26.0 * size))));
    layout->width = layout->text_width + 2 * layout->margin;
}

/** Height of the tallest head of a column. */
static int heads_height(typeface *face, const sheet_page *s, const sheet_layout *layout) {
    int most = 0;
    for (size_t column = 0; s->column_heads != NULL && column < s->columns; column++) {
        most = larger(most, wrapped_height(face, &layout->styles.head, s->column_heads[column],
                                           layout->widths[column], SHEET_HEAD_LINES));
    }
    if (s->scales != NULL) {
        most = larger(most,
                      wrapped_height(face, &layout->styles.head, s->scale_head,
                                     layout->width - layout->margin - layout->scale_left, SHEET_HEAD_LINES));
    }
    return most;
}

/** Height of the tallest note of a row, and the distance from its picture. */
static int notes_height(typeface *face, const sheet_page *s, const sheet_layout *layout, size_t row) {
    int most = 0;
    for (size_t column = 0; column < s->columns; column++) {
        const sheet_cell *cell = cell_at(s, row, column);
        const double sign = cell->mark != SHEET_UNMARKED ? 1.3 * layout->styles.note.size : 0;
        most = larger(most, wrapped_height(face, &layout->styles.note, widest_note(cell),
                                           layout->widths[column] - sign, SHEET_NOTE_LINES));
    }
    return most > 0 ? most + layout->gap / 3 : 0;
}

/** From top to bottom. */
static void place_rows(typeface *face, const sheet_page *s, sheet_layout *layout) {
    const sheet_styles *styles = &layout->styles;
    const int title = wrapped_height(face, &styles->title, s->title, layout->text_width, SHEET_TITLE_LINES);
    const int subtitle =
        wrapped_height(face, &styles->quiet, s->subtitle, layout->text_width, SHEET_TITLE_LINES);
    const int heads = heads_height(face, s, layout);
    layout->title_top = layout->margin;
    layout->subtitle_top = layout->title_top + (title > 0 ? title + layout->gap / 4 : 0);
    layout->cells_top = layout->subtitle_top + subtitle + (title + subtitle > 0 ? layout->gap : 0) +
                        (heads > 0 ? heads + layout->gap / 3 : 0);
    double top = layout->cells_top;
    for (size_t row = 0; row < s->rows; row++) {
        const int notes = notes_height(face, s, layout, row);
        layout->tops[row] = place(top);
        top += layout->heights[row] + notes + (notes > 0 ? layout->gap * 4 / 3 : layout->gap);
    }
    const int footnote =
        wrapped_height(face, &styles->quiet, s->footnote, layout->text_width, SHEET_TITLE_LINES);
    layout->footnote_top = place(top);
    layout->height = place(top - layout->gap + (footnote > 0 ? layout->gap + footnote : 0) + layout->margin);
}

size_t sheet_row_head_lines(typeface *face, const sheet_layout *layout, size_t row) {
    const int lines = layout->heights[row] / text_line_height(face, &layout->styles.label);
    return lines > 1 ? (size_t)lines : 1;
}

bool sheet_layout_make(typeface *face, const sheet_page *s, const char *what, sheet_layout *layout) {
    int widest = 1;
    *layout = (sheet_layout){.lefts = calloc(s->columns, sizeof *layout->lefts),
                             .widths = calloc(s->columns, sizeof *layout->widths),
                             .tops = calloc(s->rows, sizeof *layout->tops),
                             .heights = calloc(s->rows, sizeof *layout->heights)};
    if (layout->lefts == NULL || layout->widths == NULL || layout->tops == NULL || layout->heights == NULL) {
        message_failure("out of memory for %s of %zu rows and %zu columns", what, s->rows, s->columns);
        return false;
    }
    measure_pictures(s, layout, &widest);
    layout->styles = choose_styles(widest);
    layout->gap = layout->styles.label.size;
    layout->margin = rounded(1.5 * layout->styles.label.size);
    widen_for_words(face, s, layout, larger(widest, 14 * layout->styles.label.size));
    place_columns(face, s, layout, widest);
    place_rows(face, s, layout);
    return true;
}

void sheet_layout_free(sheet_layout *layout) {
    free(layout->lefts);
    free(layout->widths);
    free(layout->tops);
    free(layout->heights);
    *layout = (sheet_layout){0};
}
