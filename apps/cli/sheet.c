/* SPDX-License-Identifier: Apache-2.0 */
#include "sheet.h"

#include <stdlib.h>

#include "message.h"
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

bool sheet_compose(const sheet_cell *cells, size_t count, size_t columns, int zoom, pld_image *sheet) {
    int width = 0, height = 0;
    measure(cells, count, &width, &height);
    width *= zoom;
    height *= zoom;
    int scale = text_scale_for(width);
    size_t most_lines = 1;
    text_block *labels = calloc(count, sizeof *labels);
    if (labels == NULL) {
        message_failure("out of memory for the labels of %zu pictures", count);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        text_wrap(cells[i].label, width, scale, MOST_LINES, &labels[i]);
        most_lines = labels[i].lines > most_lines ? labels[i].lines : most_lines;
    }
    columns = columns < 1 ? 1 : columns < count ? columns : count;
    size_t rows = (count + columns - 1) / columns;
    size_t cell_width = (size_t)width + MARGIN;
    size_t cell_height = (size_t)height + (size_t)2 * MARGIN + most_lines * (size_t)text_line_height(scale);
    bool made = canvas_create(sheet, columns * cell_width + MARGIN, rows * cell_height + MARGIN, "the sheet");
    for (size_t i = 0; made && i < count; i++) {
        int left = (int)(MARGIN + i % columns * cell_width), top = (int)(MARGIN + i / columns * cell_height);
        canvas_paste(sheet, cells[i].image, left, top, zoom);
        text_draw_block(sheet, &labels[i], left, top + height + MARGIN / 2, scale, canvas_black);
    }
    free(labels);
    return made;
}

void sheet_free(pld_image *sheet) {
    canvas_free(sheet);
}
