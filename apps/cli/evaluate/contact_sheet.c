/* SPDX-License-Identifier: Apache-2.0 */
/** Contact sheets: a row for the first prompt of each category, a column for each value of a grid's first
 * option, the other options as in the best of its settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evaluate/evaluation.h"
#include "files/whole_file.h"
#include "pages/caption.h"
#include "pages/sheet.h"
#include "terminal/message.h"

enum { LABEL = EVALUATE_KEY };

/** One sheet while it is laid out. */
typedef struct contact_sheet {
    const evaluation *e;
    size_t grid, line; /* first cell of the combination of the other options */
    size_t rows, columns;
    pld_image *images; /* [rows, columns] */
    sheet_cell *cells; /* the same */
    const char **row_heads, **column_heads;
    captions texts;
} contact_sheet;

/** First cell of the line of combinations in which the grid's best setting stands. */
static size_t best_line(const evaluation *e, size_t grid) {
    const size_t columns = e->request->grids[grid].axes[0].count;
    size_t best = 0;
    for (size_t cell = 1; cell < e->settings.cell_counts[grid]; cell++) {
        const size_t own = e->settings.cells[grid][cell], other = e->settings.cells[grid][best];
        if (e->statistics[own].alignment[GROUP_ALL].mean > e->statistics[other].alignment[GROUP_ALL].mean) {
            best = cell;
        }
    }
    return best - best % columns;
}

static bool reserve(contact_sheet *sheet) {
    sheet->images = calloc(sheet->rows * sheet->columns, sizeof *sheet->images);
    sheet->cells = calloc(sheet->rows * sheet->columns, sizeof *sheet->cells);
    sheet->row_heads = calloc(sheet->rows, sizeof *sheet->row_heads);
    sheet->column_heads = calloc(sheet->columns, sizeof *sheet->column_heads);
    if (sheet->images == NULL || sheet->cells == NULL || sheet->row_heads == NULL ||
        sheet->column_heads == NULL) {
        message_failure("out of memory for a contact sheet");
        return false;
    }
    return true;
}

/** Read the pictures. 1: all are there; 0: one is not, so there is no sheet; -1 after an error line. */
static int collect(contact_sheet *sheet) {
    const evaluation *e = sheet->e;
    for (size_t i = 0; i < sheet->rows * sheet->columns; i++) {
        char path[PATH_MAX];
        pld_error error = {0};
        const picture_place at = {e->settings.cells[sheet->grid][sheet->line + i % sheet->columns],
                                  e->shown[i / sheet->columns], 0};
        const bool right = e->outcomes.items[outcomes_index(&e->outcomes, at)].verdict[PLD_ASPECT_ALL] == 1;
        if (!evaluation_picture_path(e, at, path)) {
            return -1;
        }
        const pld_status status = pld_image_read_png(path, &sheet->images[i], &error);
        if (status == PLD_ERROR_MEMORY) {
            message_error(&error);
            return -1;
        }
        if (status != PLD_OK) {
            message_note("no contact sheet: %s", error.message);
            return 0;
        }
        sheet->cells[i] = (sheet_cell){.image = &sheet->images[i],
                                       .note = right ? "right" : "wrong",
                                       .mark = right ? SHEET_RIGHT : SHEET_WRONG};
    }
    return 1;
}

static void add_heads(contact_sheet *sheet) {
    const evaluation *e = sheet->e;
    for (size_t i = 0; i < sheet->columns; i++) {
        char label[LABEL];
        sweep_axis_label(&e->request->grids[sheet->grid].axes[0], i, label, sizeof label);
        sheet->column_heads[i] = captions_add(&sheet->texts, "%s", label);
    }
    for (size_t i = 0; i < sheet->rows; i++) {
        sheet->row_heads[i] = e->prompts.items[e->shown[i]].text;
    }
}

/** "CFG scale 2, α = 1.5": the options that are the same in all columns. */
static void describe_line(const contact_sheet *sheet, char *text, size_t size) {
    const evaluate_grid *grid = &sheet->e->request->grids[sheet->grid];
    size_t rest = sheet->line / sheet->columns;
    text[0] = '\0';
    for (size_t i = 1; i < grid->count; i++) {
        char label[LABEL];
        const size_t used = strlen(text);
        sweep_axis_label(&grid->axes[i], rest % grid->axes[i].count, label, sizeof label);
        if (used + 2 < size) {
            snprintf(text + used, size - used, ", %.*s", (int)(size - used - 3), label);
        }
        rest /= grid->axes[i].count;
    }
}

/** The sheet; none with a note, and `image` empty, where it would be too large for one picture: the tables
 * are what was wanted. Gives the exit code. */
static int compose(contact_sheet *sheet, pld_image *image) {
    const char *what = "the contact sheet";
    size_t width = 0, height = 0;
    char title[LABEL], settings[2 * LABEL];
    sweep_row_title(sheet->e->request->grids[sheet->grid].axes[0].row, title, sizeof title);
    describe_line(sheet, settings, sizeof settings);
    add_heads(sheet);
    const sheet_page page = {
        .title = captions_add(&sheet->texts, "One prompt of each category, %s from left to right", title),
        .subtitle =
            captions_add(&sheet->texts, "%s%s; the same noise in each row", sheet->e->model_name, settings),
        .footnote = "Right: number, shapes, colours, sizes, relation and background are all as the prompt "
                    "says, judged by the rule of pladis score.",
        .row_heads = sheet->row_heads,
        .column_heads = sheet->column_heads,
        .cells = sheet->cells,
        .rows = sheet->rows,
        .columns = sheet->columns,
        .zoom = 1};
    if (captions_failed(&sheet->texts, what) || sheet_measure(&page, what, &width, &height) != EXIT_DONE) {
        return EXIT_FAILED;
    }
    if (!canvas_fits(width, height)) {
        message_note("no contact sheet: %zu x %zu pixels are too many for one picture", width, height);
        return EXIT_DONE;
    }
    return sheet_compose(&page, what, image);
}

static int write_sheet(contact_sheet *sheet) {
    char name[64], path[PATH_MAX];
    pld_image image = {0};
    evaluation_grid_name(sheet->e, "pictures", "png", sheet->grid, name, sizeof name);
    if (!evaluation_path(sheet->e, name, path)) {
        return EXIT_FAILED;
    }
    int code = compose(sheet, &image);
    if (code == EXIT_DONE && image.pixels != NULL) {
        code = whole_file_write_png(path, &image, NULL);
        if (code == EXIT_DONE) {
            message_line("sheet     %s", path);
        }
    }
    canvas_free(&image);
    return code;
}

static void contact_sheet_free(contact_sheet *sheet) {
    for (size_t i = 0; sheet->images != NULL && i < sheet->rows * sheet->columns; i++) {
        pld_image_free(&sheet->images[i]);
    }
    free(sheet->images);
    free(sheet->cells);
    free(sheet->row_heads);
    free(sheet->column_heads);
    captions_free(&sheet->texts);
}

int evaluation_write_sheets(const evaluation *e) {
    int code = EXIT_DONE;
    for (size_t i = 0; code == EXIT_DONE && i < e->request->grid_count; i++) {
        if (e->request->grids[i].count == 0) {
            continue;
        }
        contact_sheet sheet = {.e = e,
                               .grid = i,
                               .line = best_line(e, i),
                               .rows = e->shown_count,
                               .columns = e->request->grids[i].axes[0].count};
        const int found = reserve(&sheet) ? collect(&sheet) : -1;
        if (found != 0) {
            code = found > 0 ? write_sheet(&sheet) : EXIT_FAILED;
        }
        contact_sheet_free(&sheet);
    }
    return code;
}
