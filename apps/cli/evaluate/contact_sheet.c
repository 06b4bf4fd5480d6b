/* SPDX-License-Identifier: Apache-2.0 */
/** Contact sheets: the first prompt of each category under the values of a grid's first option, the other
 * options as in the best of its settings. */
#include <stdio.h>
#include <stdlib.h>

#include "canvas.h"
#include "evaluate/evaluation.h"
#include "message.h"
#include "sheet.h"
#include "whole_file.h"

enum { LABEL = EVALUATE_KEY + 512 };

/** Pictures of one sheet. */
typedef struct contact_sheet {
    size_t count;
    pld_image *images;
    sheet_cell *cells;
    char (*labels)[LABEL];
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

/** Read the pictures. 1: all are there; 0: one is not, so there is no sheet; -1 after an error line. */
static int collect(const evaluation *e, size_t grid, contact_sheet *sheet) {
    const size_t columns = e->request->grids[grid].axes[0].count, line = best_line(e, grid);
    sheet->images = calloc(e->shown_count * columns, sizeof *sheet->images);
    sheet->cells = calloc(e->shown_count * columns, sizeof *sheet->cells);
    sheet->labels = calloc(e->shown_count * columns, sizeof *sheet->labels);
    if (sheet->images == NULL || sheet->cells == NULL || sheet->labels == NULL) {
        message_failure("out of memory for a contact sheet");
        return -1;
    }
    for (size_t i = 0; i < e->shown_count * columns; i++) {
        char path[PATH_MAX];
        pld_error error = {0};
        const picture_place at = {e->settings.cells[grid][line + i % columns], e->shown[i / columns], 0};
        const size_t index = outcomes_index(&e->outcomes, at);
        if (!evaluation_picture_path(e, at, path)) {
            return -1;
        }
        if (pld_image_read_png(path, &sheet->images[i], &error) != PLD_OK) {
            message_note("no contact sheet: %s", error.message);
            return 0;
        }
        sheet->count++;
        snprintf(sheet->labels[i], LABEL, "%s: %s; %.400s", e->settings.items[at.setting].key,
                 e->outcomes.items[index].verdict[PLD_ASPECT_ALL] ? "right" : "wrong",
                 e->prompts.items[at.prompt].text);
        sheet->cells[i] = (sheet_cell){.image = &sheet->images[i], .label = sheet->labels[i]};
    }
    return 1;
}

static int write_sheet(const evaluation *e, size_t grid, const contact_sheet *sheet) {
    char name[64], path[PATH_MAX];
    size_t width = 0, height = 0;
    pld_image image = {0};
    const size_t columns = e->request->grids[grid].axes[0].count;
    sheet_measure(sheet->cells, sheet->count, columns, 1, &width, &height);
    if (!canvas_fits(width, height)) { /* no reason to fail: the tables are what was wanted */
        message_note("no contact sheet: %zu x %zu pixels are too many for one picture", width, height);
        return EXIT_DONE;
    }
    evaluation_grid_name(e, "pictures", "png", grid, name, sizeof name);
    if (!evaluation_path(e, name, path) || !sheet_compose(sheet->cells, sheet->count, columns, 1, &image)) {
        return EXIT_FAILED;
    }
    int code = whole_file_write_png(path, &image, NULL);
    sheet_free(&image);
    if (code == EXIT_DONE) {
        message_line("sheet     %s", path);
    }
    return code;
}

int evaluation_write_sheets(const evaluation *e) {
    int code = EXIT_DONE;
    for (size_t i = 0; code == EXIT_DONE && i < e->request->grid_count; i++) {
        contact_sheet sheet = {0};
        if (e->request->grids[i].count == 0) {
            continue;
        }
        const int found = collect(e, i, &sheet);
        if (found != 0) {
            code = found > 0 ? write_sheet(e, i, &sheet) : EXIT_FAILED;
        }
        for (size_t j = 0; j < sheet.count; j++) {
            pld_image_free(&sheet.images[j]);
        }
        free(sheet.images);
        free(sheet.cells);
        free(sheet.labels);
    }
    return code;
}
