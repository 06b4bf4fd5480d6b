/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/grid_picture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files/memory_file.h"
#include "files/whole_file.h"
#include "pages/caption.h"
#include "pages/difference.h"
#include "pages/sheet.h"
#include "pictures/facets.h"
#include "terminal/message.h"
#include "values/utf8.h"

/** Heads of the axes. */
static const char **make_heads(captions *texts, const sweep_axis *axis) {
    const char **heads = axis != NULL ? calloc(axis->count, sizeof *heads) : NULL;
    for (size_t i = 0; heads != NULL && i < axis->count; i++) {
        char label[FACETS_TEXT];
        sweep_axis_label(axis, i, label, sizeof label);
        heads[i] = captions_add(texts, "%s", label);
    }
    texts->failed = texts->failed || (axis != NULL && heads == NULL);
    return heads;
}

static int lay_out(const picture_grid *grid, const char *model_name, int zoom, captions *texts,
                   sheet_page *page, pld_image *result) {
    const picture *items = grid->pictures->items;
    const size_t count = grid->pictures->count;
    char common[FACETS_TEXT];
    sheet_cell *cells = calloc(count, sizeof *cells);
    facets_common(items, count, common);
    for (size_t i = 0; cells != NULL && i < count; i++) {
        cells[i].image = &items[i].image;
    }
    page->title = facets_one_prompt(items, count) ? items->prompt : NULL;
    page->subtitle = captions_add(texts, "%s%s%s", model_name, common[0] != '\0' ? ", " : "", common);
    page->cells = cells;
    page->columns = grid->x->count;
    page->rows = count / grid->x->count;
    page->zoom = zoom;
    texts->failed = texts->failed || cells == NULL;
    const int code =
        captions_failed(texts, "the grid") ? EXIT_FAILED : sheet_compose(page, "the grid", result);
    free(cells);
    return code;
}

/** The grid, or with NULL only whether it can be made. Gives the exit code. */
static int compose(const picture_grid *grid, const char *model_name, int zoom, pld_image *result) {
    captions texts = {0};
    const char **column_heads = make_heads(&texts, grid->x), **row_heads = make_heads(&texts, grid->y);
    sheet_page page = {.column_heads = column_heads, .row_heads = row_heads};
    const int code = lay_out(grid, model_name, zoom, &texts, &page, result);
    free(column_heads);
    free(row_heads);
    captions_free(&texts);
    return code;
}

bool grid_picture_compose(const picture_grid *grid, const char *model_name, int zoom, pld_image *result) {
    return compose(grid, model_name, zoom, result) == EXIT_DONE;
}

int grid_picture_check(const picture_grid *grid, const char *model_name, int zoom) {
    return compose(grid, model_name, zoom, NULL);
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
        if (strcmp(report->stage_names[i], stage) == 0) {
            return report->stage_seconds[i];
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
    memory_file memory;
    memory_file_open(&memory);
    FILE *file = memory.stream;
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
    }
    char *text = memory_file_close(&memory);
    char *repaired = done && text != NULL ? utf8_repaired(text) : NULL;
    free(text);
    if (repaired == NULL) {
        if (done || file == NULL) { /* else a line has said so */
            message_failure("%s: out of memory for the table", path);
        }
        return EXIT_FAILED;
    }
    const int code = whole_file_write(path, repaired, strlen(repaired));
    free(repaired);
    return code;
}
