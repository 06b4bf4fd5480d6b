/* SPDX-License-Identifier: Apache-2.0 */
#include "grid_picture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "difference.h"
#include "message.h"
#include "text.h"
#include "whole_file.h"

enum { MARGIN = 8, MOST_TITLE_LINES = 3, MOST_COLUMN_LINES = 3, MOST_ROW_LINES = 6 };

/** Where things stand, in pixels. */
typedef struct grid_layout {
    size_t columns, rows;
    int cell_width, cell_height; /* of a picture, enlarged */
    int scale, line;
    int left, top; /* of the first picture */
    int title_lines, column_lines;
} grid_layout;

static void label_of(const sweep_axis *axis, size_t index, char *label, size_t size) {
    sweep_axis_label(axis, index, label, size);
}

/** Lines that the longest column label takes. */
static int count_column_lines(const picture_grid *grid, const grid_layout *layout) {
    text_block block;
    char label[PICTURE_LABEL];
    int most = 1;
    for (size_t i = 0; i < layout->columns; i++) {
        label_of(grid->x, i, label, sizeof label);
        text_wrap(label, layout->cell_width, layout->scale, MOST_COLUMN_LINES, &block);
        most = (int)block.lines > most ? (int)block.lines : most;
    }
    return most;
}

/** Width of the row labels: the longest, at most a picture's. */
static int row_label_width(const picture_grid *grid, const grid_layout *layout) {
    char label[PICTURE_LABEL];
    int most = 0;
    for (size_t i = 0; grid->y != NULL && i < layout->rows; i++) {
        label_of(grid->y, i, label, sizeof label);
        int width = text_width(label, layout->scale);
        most = width > most ? width : most;
    }
    return most < layout->cell_width ? most : layout->cell_width;
}

static grid_layout lay_out(const picture_grid *grid, int zoom) {
    grid_layout layout = {.columns = grid->x->count, .rows = grid->y != NULL ? grid->y->count : 1};
    for (size_t i = 0; i < grid->pictures->count; i++) {
        const pld_image *image = &grid->pictures->items[i].image;
        layout.cell_width = image->width * zoom > layout.cell_width ? image->width * zoom : layout.cell_width;
        layout.cell_height =
            image->height * zoom > layout.cell_height ? image->height * zoom : layout.cell_height;
    }
    layout.scale = text_scale_for(layout.cell_width);
    layout.line = text_line_height(layout.scale);
    layout.column_lines = count_column_lines(grid, &layout);
    int label = row_label_width(grid, &layout);
    layout.left = MARGIN + (label > 0 ? label + MARGIN : 0);
    return layout;
}

static void draw_cells(const picture_grid *grid, const grid_layout *layout, int zoom, pld_image *result) {
    text_block block;
    char label[PICTURE_LABEL];
    for (size_t i = 0; i < grid->pictures->count; i++) {
        int column = (int)(i % layout->columns), row = (int)(i / layout->columns);
        int left = layout->left + column * (layout->cell_width + MARGIN);
        int top = layout->top + row * (layout->cell_height + MARGIN);
        canvas_paste(result, &grid->pictures->items[i].image, left, top, zoom);
        if (row == 0) {
            label_of(grid->x, (size_t)column, label, sizeof label);
            text_wrap(label, layout->cell_width, layout->scale, MOST_COLUMN_LINES, &block);
            text_draw_block(result, &block, left, top - layout->column_lines * layout->line - MARGIN / 2,
                            layout->scale, canvas_black);
        }
        if (column == 0 && grid->y != NULL) {
            label_of(grid->y, (size_t)row, label, sizeof label);
            text_wrap(label, layout->left - 2 * MARGIN, layout->scale, MOST_ROW_LINES, &block);
            int height = (int)block.lines * layout->line;
            text_draw_block(result, &block, MARGIN, top + (layout->cell_height - height) / 2, layout->scale,
                            canvas_black);
        }
    }
}

/** The layout with the title above it, and the extents of the whole. */
static grid_layout lay_out_all(const picture_grid *grid, const char *title, int zoom, text_block *heading,
                               size_t *width, size_t *height) {
    grid_layout layout = lay_out(grid, zoom);
    *width = (size_t)layout.left + layout.columns * (size_t)(layout.cell_width + MARGIN);
    text_wrap(title, *width > INT16_MAX ? INT16_MAX : (int)*width - 2 * MARGIN, layout.scale,
              MOST_TITLE_LINES, heading);
    layout.title_lines = (int)heading->lines;
    layout.top = MARGIN + (layout.title_lines + layout.column_lines) * layout.line +
                 (layout.title_lines > 0 ? MARGIN : 0) + MARGIN / 2;
    *height = (size_t)layout.top + layout.rows * (size_t)(layout.cell_height + MARGIN);
    return layout;
}

int grid_picture_check(const picture_grid *grid, const char *title, int zoom) {
    text_block heading;
    size_t width = 0, height = 0;
    (void)lay_out_all(grid, title, zoom, &heading, &width, &height);
    return canvas_check(width, height, "the grid");
}

bool grid_picture_compose(const picture_grid *grid, const char *title, int zoom, pld_image *result) {
    text_block heading;
    size_t width = 0, height = 0;
    grid_layout layout = lay_out_all(grid, title, zoom, &heading, &width, &height);
    if (!canvas_create(result, width, height, "the grid")) {
        return false;
    }
    text_draw_block(result, &heading, MARGIN, MARGIN, layout.scale, canvas_black);
    draw_cells(grid, &layout, zoom, result);
    return true;
}

/** A field in quotes where it needs them (RFC 4180). */
static void print_text(FILE *file, const char *text) {
    bool quote = strpbrk(text, ",\"\r\n") != NULL;
    fputs(quote ? "\"" : "", file);
    for (; *text != '\0'; text++) {
        fputs(*text == '"' ? "\"\"" : (char[]){*text, '\0'}, file);
    }
    fputs(quote ? "\"" : "", file);
}

/** Mean difference from the first picture, or nothing where the size is another one. */
static bool print_difference(FILE *file, const pld_image *first, const pld_image *image) {
    difference d;
    if (first->width != image->width || first->height != image->height) {
        return true;
    }
    if (!difference_make(first, image, &d)) {
        return false;
    }
    fprintf(file, "%.3f", d.mean);
    difference_free(&d);
    return true;
}

static double stage_seconds(const pld_report *report, const char *stage) {
    for (int i = 0; i < report->stage_count; i++) {
        if (strcmp(report->stages[i].name, stage) == 0) {
            return report->stages[i].seconds;
        }
    }
    return 0;
}

static bool print_line(FILE *file, const picture_grid *grid, size_t index) {
    const picture *drawn = &grid->pictures->items[index];
    const pld_report *report = &drawn->report;
    size_t column = index % grid->x->count, row = index / grid->x->count;
    fprintf(file, "%zu,%zu,", row + 1, column + 1);
    print_text(file, grid->x->values[column]);
    if (grid->y != NULL) {
        fputc(',', file);
        print_text(file, grid->y->values[row]);
    }
    fprintf(file, ",%" PRId64 ",%d,%d,%d,%g,%g,%g,%s,%d,%.3f,", drawn->seed, report->width, report->height,
            report->steps, report->cfg_scale, drawn->pladis_scale, drawn->settings->pladis_alpha,
            report->sampling_method, report->evaluations, stage_seconds(report, "denoise"));
    if (!print_difference(file, &grid->pictures->items[0].image, &drawn->image)) {
        return false;
    }
    fputc(',', file);
    print_text(file, drawn->prompt);
    fputs("\r\n", file);
    return true;
}

int grid_picture_write_csv(const picture_grid *grid, const char *path) {
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    bool done = file != NULL;
    if (done) {
        fprintf(file, "row,column,x:%s", grid->x->row->name);
        if (grid->y != NULL) {
            fprintf(file, ",y:%s", grid->y->row->name);
        }
        fputs(",seed,width,height,steps,cfg_scale,pladis,pladis_alpha,sampling_method,evaluations,denoise_"
              "seconds,"
              "mean_difference_from_first,prompt\r\n",
              file);
        for (size_t i = 0; done && i < grid->pictures->count; i++) {
            done = print_line(file, grid, i);
        }
        bool failed = ferror(file) != 0;
        done = fclose(file) == 0 && !failed && done;
    }
    int code =
        done ? whole_file_write(path, text, size) : message_failure("%s: out of memory for the table", path);
    free(text);
    return code;
}
