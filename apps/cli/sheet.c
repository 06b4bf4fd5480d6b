/* SPDX-License-Identifier: Apache-2.0 */
#include "sheet.h"

#include "text.h"

enum { MARGIN = 8, MOST_LINES = 3 };

/** Largest extents of the pictures. */
static void measure(const sheet_cell *cells, size_t count, int *width, int *height) {
    *width = *height = 0;
    for (size_t i = 0; i < count; i++) {
        *width = cells[i].image->width > *width ? cells[i].image->width : *width;
        *height = cells[i].image->height > *height ? cells[i].image->height : *height;
    }
}

/** Where things stand, in pixels. */
typedef struct sheet_layout {
    int width, height; /* of a picture, enlarged */
    int scale;         /* of the letters */
    size_t columns, cell_width, cell_height, whole_width, whole_height;
} sheet_layout;

static sheet_layout lay_out(const sheet_cell *cells, size_t count, size_t columns, int zoom) {
    sheet_layout layout = {0};
    size_t most_lines = 1;
    measure(cells, count, &layout.width, &layout.height);
    layout.width *= zoom;
    layout.height *= zoom;
    layout.scale = text_scale_for(layout.width);
    for (size_t i = 0; i < count; i++) {
        text_block label;
        text_wrap(cells[i].label, layout.width, layout.scale, MOST_LINES, &label);
        most_lines = label.lines > most_lines ? label.lines : most_lines;
    }
    layout.columns = columns < 1 ? 1 : columns < count ? columns : count;
    const size_t rows = (count + layout.columns - 1) / layout.columns;
    layout.cell_width = (size_t)layout.width + MARGIN;
    layout.cell_height =
        (size_t)layout.height + (size_t)2 * MARGIN + most_lines * (size_t)text_line_height(layout.scale);
    layout.whole_width = layout.columns * layout.cell_width + MARGIN;
    layout.whole_height = rows * layout.cell_height + MARGIN;
    return layout;
}

void sheet_measure(const sheet_cell *cells, size_t count, size_t columns, int zoom, size_t *width,
                   size_t *height) {
    const sheet_layout layout = lay_out(cells, count, columns, zoom);
    *width = layout.whole_width;
    *height = layout.whole_height;
}

int sheet_check(const sheet_cell *cells, size_t count, size_t columns, int zoom) {
    const sheet_layout layout = lay_out(cells, count, columns, zoom);
    return canvas_check(layout.whole_width, layout.whole_height, "the sheet");
}

bool sheet_compose(const sheet_cell *cells, size_t count, size_t columns, int zoom, pld_image *sheet) {
    const sheet_layout layout = lay_out(cells, count, columns, zoom);
    if (!canvas_create(sheet, layout.whole_width, layout.whole_height, "the sheet")) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        text_block label;
        const int left = (int)(MARGIN + i % layout.columns * layout.cell_width);
        const int top = (int)(MARGIN + i / layout.columns * layout.cell_height);
        canvas_paste(sheet, cells[i].image, left, top, zoom);
        text_wrap(cells[i].label, layout.width, layout.scale, MOST_LINES, &label);
        text_draw_block(sheet, &label, left, top + layout.height + MARGIN / 2, layout.scale, canvas_black);
    }
    return true;
}

void sheet_free(pld_image *sheet) {
    canvas_free(sheet);
}
