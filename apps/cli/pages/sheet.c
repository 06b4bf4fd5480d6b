/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/sheet.h"

#include <math.h>
#include <stdio.h>

#include "pages/sheet_layout.h"
#include "terminal/message.h"

enum { TICKS = 3 };

/** What the functions below share. */
typedef struct sheet_drawing {
    typeface *face;
    const sheet_page *s;
    const sheet_layout *layout;
    pld_image *image;
} sheet_drawing;

static void put_text(const sheet_drawing *p, const text_style *style, const char *text, double width,
                     size_t most_lines, int left, int top) {
    text_block block;
    if (text != NULL && text[0] != '\0') {
        text_wrap(p->face, style, text, width, most_lines, &block);
        text_draw_block(p->face, style, &block, p->image, left, top, TEXT_LEFT);
    }
}

/** Over the pictures of a column, at the foot of the line of heads. */
static void put_head(const sheet_drawing *p, const char *text, double width, int left) {
    const text_style *style = &p->layout->styles.head;
    text_block block;
    text_wrap(p->face, style, text, width, SHEET_HEAD_LINES, &block);
    const int height = (int)block.lines * text_line_height(p->face, style);
    text_draw_block(p->face, style, &block, p->image, left,
                    p->layout->cells_top - p->layout->gap / 3 - height, TEXT_LEFT);
}

/** Beside the pictures of a row, in the middle of their height. */
static void put_row_head(const sheet_drawing *p, size_t row) {
    const sheet_layout *layout = p->layout;
    const text_style *style = &layout->styles.label;
    text_block block;
    text_wrap(p->face, style, p->s->row_heads[row], layout->row_head_width,
              sheet_row_head_lines(p->face, layout, row), &block);
    const int height = (int)block.lines * text_line_height(p->face, style);
    text_draw_block(p->face, style, &block, p->image, layout->margin,
                    layout->tops[row] + (layout->heights[row] - height) / 2, TEXT_LEFT);
}

static void put_cell(const sheet_drawing *p, size_t row, size_t column) {
    static const struct {
        const char *sign;
        const canvas_colour *colour;
    } marks[] = {[SHEET_UNMARKED] = {NULL, NULL},
                 [SHEET_RIGHT] = {"✓", &canvas_right},
                 [SHEET_WRONG] = {"✗", &canvas_wrong}};
    const sheet_layout *layout = p->layout;
    const sheet_cell *cell = &p->s->cells[row * p->s->columns + column];
    text_style style = layout->styles.note;
    int left = layout->lefts[column], width = layout->widths[column];
    if (cell->image != NULL) {
        canvas_paste(p->image, cell->image, left, layout->tops[row], p->s->zoom);
    }
    const int top = layout->tops[row] + layout->heights[row] + layout->gap / 3;
    if (cell->mark != SHEET_UNMARKED) {
        const int indent = (int)(1.3 * style.size);
        style.colour = *marks[cell->mark].colour;
        put_text(p, &style, marks[cell->mark].sign, width, 1, left, top);
        left += indent;
        width -= indent;
    }
    put_text(p, &style, cell->note, width, SHEET_NOTE_LINES, left, top);
}

/** The bar of a row with its numbers. */
static void put_scale(const sheet_drawing *p, size_t row) {
    const sheet_layout *layout = p->layout;
    const sheet_scale *scale = &p->s->scales[row];
    const text_style *style = &layout->styles.quiet;
    const int line = text_line_height(p->face, style), tick = layout->gap / 3;
    const int top = layout->tops[row], height = layout->heights[row];
    if (!(scale->most > 0)) {
        return;
    }
    for (int y = 0; y < height; y++) {
        canvas_colour colour;
        scale->colour(1 - (y + 0.5) / height, &colour);
        canvas_fill(p->image, layout->scale_left, top + y, layout->scale_width, 1, colour);
    }
    for (int i = 0; i < TICKS; i++) {
        const double part = (double)i / (TICKS - 1), percent = 100 * part * scale->most;
        const int y = top + (int)lround((1 - part) * (height - 1)),
                  right = layout->scale_left + layout->scale_width;
        int text_top = y - line / 2; /* within the bar's height */
        text_top = text_top < top                   ? top - line / 5
                   : text_top + line > top + height ? top + height - line * 4 / 5
                                                    : text_top;
        char text[32];
        snprintf(text, sizeof text, "%.*g %%", percent >= 10 ? 3 : 2, percent);
        canvas_fill(p->image, right, y, tick, 1, canvas_quiet);
        text_draw(p->face, style, text, p->image, right + 2 * tick, text_top, TEXT_LEFT);
    }
}

static void put_all(const sheet_drawing *p) {
    const sheet_layout *layout = p->layout;
    put_text(p, &layout->styles.title, p->s->title, layout->text_width, SHEET_TITLE_LINES, layout->margin,
             layout->title_top);
    put_text(p, &layout->styles.quiet, p->s->subtitle, layout->text_width, SHEET_TITLE_LINES, layout->margin,
             layout->subtitle_top);
    for (size_t column = 0; p->s->column_heads != NULL && column < p->s->columns; column++) {
        put_head(p, p->s->column_heads[column], layout->widths[column], layout->lefts[column]);
    }
    if (p->s->scales != NULL && p->s->scale_head != NULL) {
        put_head(p, p->s->scale_head, layout->width - layout->margin - layout->scale_left,
                 layout->scale_left);
    }
    for (size_t row = 0; row < p->s->rows; row++) {
        if (p->s->row_heads != NULL) {
            put_row_head(p, row);
        }
        for (size_t column = 0; column < p->s->columns; column++) {
            put_cell(p, row, column);
        }
        if (p->s->scales != NULL) {
            put_scale(p, row);
        }
    }
    put_text(p, &layout->styles.quiet, p->s->footnote, layout->text_width, SHEET_TITLE_LINES, layout->margin,
             layout->footnote_top);
}

int sheet_measure(const sheet_page *s, const char *what, size_t *width, size_t *height) {
    sheet_layout layout = {0};
    typeface *face = typeface_open();
    const bool done =
        face != NULL && sheet_layout_make(face, s, what, &layout) && !typeface_failed(face, what);
    *width = (size_t)layout.width;
    *height = (size_t)layout.height;
    sheet_layout_free(&layout);
    typeface_close(&face);
    return done ? EXIT_DONE : EXIT_FAILED;
}

static int check(const sheet_page *s, const char *what) {
    size_t width = 0, height = 0;
    const int code = sheet_measure(s, what, &width, &height);
    return code == EXIT_DONE ? canvas_check(width, height, what) : code;
}

int sheet_compose(const sheet_page *s, const char *what, pld_image *page) {
    if (page == NULL) {
        return check(s, what);
    }
    sheet_layout layout = {0};
    typeface *face = typeface_open();
    *page = (pld_image){0};
    bool done = face != NULL && sheet_layout_make(face, s, what, &layout) &&
                canvas_create(page, (size_t)layout.width, (size_t)layout.height, what);
    if (done) {
        put_all(&(sheet_drawing){face, s, &layout, page});
        done = !typeface_failed(face, what);
    }
    if (!done) {
        canvas_free(page);
    }
    sheet_layout_free(&layout);
    typeface_close(&face);
    return done ? EXIT_DONE : EXIT_FAILED;
}

size_t sheet_rows(size_t count, size_t columns) {
    return (count + columns - 1) / columns;
}
