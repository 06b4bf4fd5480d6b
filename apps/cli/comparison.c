/* SPDX-License-Identifier: Apache-2.0 */
#include "comparison.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "difference.h"
#include "message.h"
#include "sheet.h"

enum { LABEL_SIZE = 512 };

/** What the cells of the sheet show; the differences are made here. */
typedef struct comparison {
    const picture_list *pictures;
    size_t variants, rows, columns, count;
    sheet_cell *cells;          /* [count] */
    char (*labels)[LABEL_SIZE]; /* [count] */
    difference *differences;    /* [pictures->count] */
    pld_image blank;            /* under the first of several variants */
    bool drawn;                 /* else there are sizes only */
} comparison;

static bool reserve(comparison *c) {
    c->cells = calloc(c->count, sizeof *c->cells);
    c->labels = calloc(c->count, sizeof *c->labels);
    c->differences = calloc(c->pictures->count, sizeof *c->differences);
    if (c->cells == NULL || c->labels == NULL || c->differences == NULL) {
        message_failure("out of memory for a comparison of %zu pictures", c->pictures->count);
        return false;
    }
    const pld_image *first = &c->pictures->items[0].image;
    c->blank = (pld_image){first->width, first->height, NULL};
    return !c->drawn ||
           canvas_create(&c->blank, (size_t)first->width, (size_t)first->height, "the comparison");
}

static void add_picture(comparison *c, size_t cell, size_t index, bool with_prompt) {
    const picture *drawn = &c->pictures->items[index];
    char *label = c->labels[cell];
    int used = snprintf(label, LABEL_SIZE, "%s", drawn->label);
    if (index % c->variants > 0) {
        if (c->pictures->compared.row == NULL) { /* without and with PLADIS, and nothing else */
            snprintf(label + used, LABEL_SIZE - (size_t)used, ": λ = %g, α = %g", drawn->pladis_scale,
                     drawn->settings->pladis_alpha);
        }
    } else if (with_prompt) {
        snprintf(label + used, LABEL_SIZE - (size_t)used, ", seed %" PRId64 ": %.200s", drawn->seed,
                 drawn->prompt);
    } else {
        snprintf(label + used, LABEL_SIZE - (size_t)used, ", seed %" PRId64, drawn->seed);
    }
    c->cells[cell] = (sheet_cell){.image = &drawn->image, .label = label};
}

/** How picture `index` differs from the first variant of its row. */
static bool add_difference(comparison *c, size_t cell, size_t index) {
    const pld_image *first = &c->pictures->items[index - index % c->variants].image;
    const pld_image *second = &c->pictures->items[index].image;
    difference *d = &c->differences[index];
    char *label = c->labels[cell];
    c->cells[cell] = (sheet_cell){.image = &c->blank, .label = label};
    if (first->width != second->width || first->height != second->height) {
        snprintf(label, LABEL_SIZE, "no difference: other size");
        return true;
    }
    if (!c->drawn) { /* as wide as the label below can become */
        *d = (difference){.mean = 255, .changed = 1};
    } else if (!difference_make(first, second, d)) {
        return false;
    }
    snprintf(label, LABEL_SIZE, "difference × %d: mean %.1f of 255, %.0f %% of the pixels", DIFFERENCE_GAIN,
             d->mean, 100 * d->changed);
    c->cells[cell].image = c->drawn ? &d->image : &c->blank;
    return true;
}

static bool fill(comparison *c, bool with_prompt) {
    bool beside = c->variants == 2;
    for (size_t index = 0; index < c->pictures->count; index++) {
        size_t row = index / c->variants, column = index % c->variants;
        size_t cell = (beside ? row : 2 * row) * c->columns + column;
        size_t below = beside ? cell + 1 : cell + c->columns;
        add_picture(c, cell, index, with_prompt);
        if (column > 0 && !add_difference(c, below, index)) {
            return false;
        }
        if (column == 0 && !beside) {
            c->cells[below] = (sheet_cell){.image = &c->blank, .label = ""};
        }
    }
    return true;
}

/** The comparison, or with NULL only whether it can be made. Gives the exit code. */
static int compose(const generate_request *request, const picture_list *pictures, pld_image *result) {
    size_t variants = pictures->variant_count, rows = pictures->count / variants;
    comparison c = {.pictures = pictures, .variants = variants, .rows = rows, .drawn = result != NULL};
    c.columns = variants == 2 ? 3 : variants;
    c.count = variants == 2 ? 3 * rows : 2 * variants * rows;
    const int zoom = (int)request->zoom;
    int code = reserve(&c) && fill(&c, request->prompt_file != NULL) ? EXIT_DONE : EXIT_FAILED;
    if (code == EXIT_DONE && result == NULL) {
        code = sheet_check(c.cells, c.count, c.columns, zoom);
    } else if (code == EXIT_DONE && !sheet_compose(c.cells, c.count, c.columns, zoom, result)) {
        code = EXIT_FAILED;
    }
    for (size_t i = 0; c.differences != NULL && i < pictures->count; i++) {
        difference_free(&c.differences[i]);
    }
    canvas_free(&c.blank);
    free(c.cells);
    free(c.labels);
    free(c.differences);
    return code;
}

bool comparison_compose(const generate_request *request, const picture_list *pictures, pld_image *result) {
    return compose(request, pictures, result) == EXIT_DONE;
}

int comparison_check(const generate_request *request, const picture_list *pictures) {
    return compose(request, pictures, NULL);
}
