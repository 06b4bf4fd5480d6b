/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/comparison.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pages/caption.h"
#include "pages/difference.h"
#include "pages/sheet.h"
#include "pictures/facets.h"
#include "terminal/message.h"

/** A comparison while it is laid out; the differences are made here. */
typedef struct comparison {
    const picture_list *pictures;
    size_t variants, bases; /* a base is a prompt with a seed: `variants` pictures */
    bool beside;            /* the difference stands beside the pictures, not below */
    bool drawn;             /* else there are sizes only */
    size_t rows, columns;
    sheet_cell *cells;         /* [rows, columns] */
    const char **row_heads;    /* [rows] */
    const char **column_heads; /* [columns] */
    difference *differences;   /* [pictures->count] */
    captions texts;
} comparison;

static bool reserve(comparison *c) {
    c->cells = calloc(c->rows * c->columns, sizeof *c->cells);
    c->row_heads = calloc(c->rows, sizeof *c->row_heads);
    c->column_heads = calloc(c->columns, sizeof *c->column_heads);
    c->differences = calloc(c->pictures->count, sizeof *c->differences);
    if (c->cells == NULL || c->row_heads == NULL || c->column_heads == NULL || c->differences == NULL) {
        message_failure("out of memory for a comparison of %zu pictures", c->pictures->count);
        return false;
    }
    return true;
}

/** How variant `index` is called over its column. */
static const char *variant_head(comparison *c, size_t index) {
    const picture *drawn = &c->pictures->items[index];
    if (c->pictures->compared.row != NULL) {
        char label[FACETS_TEXT];
        sweep_axis_label(&c->pictures->compared, index, label, sizeof label);
        return captions_add(&c->texts, "%s", label);
    }
    return index == 0 ? captions_add(&c->texts, "%s", drawn->label)
                      : captions_add(&c->texts, "%s, λ = %g", drawn->label, drawn->pladis_scale);
}

/** What sets the base apart from the others: its prompt, its seed. */
static const char *base_head(comparison *c, size_t base) {
    const picture *first = c->pictures->items, *own = &first[base * c->variants];
    const bool prompts = !facets_one_prompt(first, c->pictures->count) && own->settings->prompt == NULL;
    bool seeds = false;
    for (size_t i = 0; i < c->bases; i++) {
        seeds = seeds || first[i * c->variants].seed != first->seed;
    }
    if (prompts) {
        return seeds ? captions_add(&c->texts, "%s (seed\u00a0%" PRId64 ")", own->prompt, own->seed)
                     : captions_add(&c->texts, "%s", own->prompt);
    }
    return seeds ? captions_add(&c->texts, "seed %" PRId64, own->seed) : "";
}

/** How picture `index` differs from the first variant of its base; before there are pixels, room for it. */
static bool add_difference(comparison *c, sheet_cell *cell, size_t index) {
    const pld_image *first = &c->pictures->items[index - index % c->variants].image;
    const pld_image *second = &c->pictures->items[index].image;
    difference *d = &c->differences[index];
    if (first->width != second->width || first->height != second->height) {
        cell->note = "another size";
        return true;
    }
    *cell = (sheet_cell){.image = second, .widest = "444 % of pixels, mean 444.4 of 255"};
    if (!c->drawn) {
        return true;
    }
    if (!difference_make(first, second, d)) {
        return false;
    }
    cell->image = &d->image;
    cell->note = captions_add(&c->texts, "%.0f %% of pixels, mean %.1f of 255", 100 * d->changed, d->mean);
    return true;
}

static bool fill(comparison *c) {
    for (size_t index = 0; index < c->pictures->count; index++) {
        const size_t base = index / c->variants, variant = index % c->variants;
        const size_t row = c->beside ? base : 2 * base;
        sheet_cell *cell = &c->cells[row * c->columns + variant];
        *cell = (sheet_cell){.image = &c->pictures->items[index].image};
        if (variant > 0 && !add_difference(c, c->beside ? cell + 1 : cell + c->columns, index)) {
            return false;
        }
    }
    for (size_t variant = 0; variant < c->variants; variant++) {
        c->column_heads[variant] = variant_head(c, variant);
    }
    for (size_t base = 0; base < c->bases; base++) {
        c->row_heads[c->beside ? base : 2 * base] = base_head(c, base);
    }
    if (c->beside) {
        c->column_heads[c->columns - 1] = captions_add(&c->texts, "difference ×\u00a0%d", DIFFERENCE_GAIN);
    }
    for (size_t base = 0; !c->beside && base < c->bases; base++) {
        c->row_heads[2 * base + 1] =
            captions_add(&c->texts, "difference from the first, ×\u00a0%d", DIFFERENCE_GAIN);
    }
    return true;
}

/** The page's title is the prompt that all share; what else they share stands under it. */
static int lay_out(comparison *c, const char *model_name, int zoom, pld_image *result) {
    const picture *items = c->pictures->items;
    char common[FACETS_TEXT];
    facets_common(items, c->pictures->count, common);
    const sheet_page page = {
        .title = facets_one_prompt(items, c->pictures->count) ? items->prompt : NULL,
        .subtitle = captions_add(&c->texts, "%s%s%s", model_name, common[0] != '\0' ? ", " : "", common),
        .footnote = captions_add(&c->texts,
                                 "The difference is amplified %d times. A pixel counts where a colour "
                                 "differs by more than %d of 255.",
                                 DIFFERENCE_GAIN, DIFFERENCE_VISIBLE),
        .column_heads = c->column_heads,
        .row_heads = c->row_heads,
        .cells = c->cells,
        .rows = c->rows,
        .columns = c->columns,
        .zoom = zoom};
    return captions_failed(&c->texts, "the comparison") ? EXIT_FAILED
                                                        : sheet_compose(&page, "the comparison", result);
}

/** The comparison, or with NULL only whether it can be made. Gives the exit code. */
static int compose(const generate_request *request, const picture_list *pictures, const char *model_name,
                   pld_image *result) {
    comparison c = {.pictures = pictures, .variants = pictures->variant_count, .drawn = result != NULL};
    c.bases = pictures->count / c.variants;
    c.beside = c.variants == 2;
    c.columns = c.beside ? 3 : c.variants;
    c.rows = c.beside ? c.bases : 2 * c.bases;
    const int code =
        reserve(&c) && fill(&c) ? lay_out(&c, model_name, (int)request->zoom, result) : EXIT_FAILED;
    for (size_t i = 0; c.differences != NULL && i < pictures->count; i++) {
        difference_free(&c.differences[i]);
    }
    captions_free(&c.texts);
    free(c.cells);
    free(c.row_heads);
    free(c.column_heads);
    free(c.differences);
    return code;
}

bool comparison_compose(const generate_request *request, const picture_list *pictures, const char *model_name,
                        pld_image *result) {
    return compose(request, pictures, model_name, result) == EXIT_DONE;
}

int comparison_check(const generate_request *request, const picture_list *pictures, const char *model_name) {
    return compose(request, pictures, model_name, NULL);
}
