/* SPDX-License-Identifier: Apache-2.0 */
#include "run/picture_file.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files/output_name.h"
#include "files/whole_file.h"
#include "pages/caption.h"
#include "pages/comparison.h"
#include "pages/sheet.h"
#include "pictures/facets.h"
#include "run/metadata.h"
#include "terminal/message.h"

bool picture_file_is_sheet(const generate_request *request) {
    return request->together || request->sheet || request->compare != NULL;
}

bool picture_file_side_name(const char *option_name, const char *pattern, const picture_list *pictures,
                            size_t index, char *name, size_t size) {
    if (!output_name(pattern, index + 1, pictures->count, name, size)) {
        message_usage("--%s: the file name is too long", option_name);
        return false;
    }
    return true;
}

bool picture_file_name(const generate_request *request, const picture_list *pictures, size_t index,
                       char *name) {
    size_t count = picture_file_is_sheet(request) ? 1 : pictures->count;
    if (!output_name(request->output, index + 1, count, name, PATH_MAX)) {
        message_usage("--output: the file name is too long");
        return false;
    }
    return true;
}

int picture_file_write_bare(const pld_image *image, const char *name) {
    int code = whole_file_write_png(name, image, NULL);
    if (code == EXIT_DONE) {
        message_line("picture   %s", name);
    }
    return code;
}

/** Write one PNG to `name` or standard output. */
static int write_png(const generate_request *request, const pld_image *image, const char *const *text,
                     const char *name) {
    if (strcmp(request->output, "-") == 0) {
        return whole_file_write_png("/dev/stdout", image, text);
    }
    int code = whole_file_write_png(name, image, text);
    if (code == EXIT_DONE) {
        message_line("picture   %s", name);
    }
    return code;
}

/** Write `image`, which shows `count` pictures from `index` on. */
static int write_described(const generate_request *request, const run_facts *facts,
                           const picture_list *pictures, size_t index, size_t count, const pld_image *image) {
    char name[PATH_MAX];
    if (!picture_file_name(request, pictures, index, name)) {
        return EXIT_USAGE;
    }
    char **text = request->no_metadata ? NULL : metadata_make(facts, &pictures->items[index], count);
    if (!request->no_metadata && text == NULL) {
        return EXIT_FAILED;
    }
    int code = write_png(request, image, (const char *const *)text, name);
    pld_text_free(&text);
    return code;
}

int picture_file_write(const generate_request *request, const run_facts *facts, const picture_list *pictures,
                       size_t index) {
    return write_described(request, facts, pictures, index, 1, &pictures->items[index].image);
}

int picture_file_write_composed(const generate_request *request, const run_facts *facts,
                                const picture_list *pictures, const pld_image *image) {
    return write_described(request, facts, pictures, 0, pictures->count, image);
}

/** Columns that suit the run: the seeds of one prompt beside each other, or a square. */
static size_t choose_columns(const generate_request *request, size_t count) {
    if (request->columns > 0) {
        return (size_t)request->columns;
    }
    if (request->prompt_file != NULL && request->batch_count > 1) {
        return (size_t)request->batch_count;
    }
    size_t columns = 1;
    while (columns * columns < count) {
        columns++;
    }
    return columns;
}

/** A sheet while it is laid out. */
typedef struct picture_sheet {
    const generate_request *request;
    const picture_list *pictures;
    size_t rows, columns;
    bool ruled; /* a row for each prompt, a column for each seed: heads instead of notes */
    sheet_cell *cells;
    const char **row_heads, **column_heads;
    captions texts;
} picture_sheet;

/** What a picture has of its own. */
static const char *make_note(picture_sheet *s, const picture *drawn) {
    if (s->ruled) {
        return NULL;
    }
    if (s->request->prompt_file == NULL) {
        return s->pictures->count > 1 ? captions_add(&s->texts, "seed %" PRId64, drawn->seed) : NULL;
    }
    return s->request->batch_count > 1
               ? captions_add(&s->texts, "%s (seed\u00a0%" PRId64 ")", drawn->prompt, drawn->seed)
               : drawn->prompt;
}

static bool fill_sheet(picture_sheet *s) {
    const picture *items = s->pictures->items;
    s->cells = calloc(s->rows * s->columns, sizeof *s->cells);
    s->row_heads = calloc(s->rows, sizeof *s->row_heads);
    s->column_heads = calloc(s->columns, sizeof *s->column_heads);
    if (s->cells == NULL || s->row_heads == NULL || s->column_heads == NULL) {
        message_failure("out of memory for a sheet of %zu pictures", s->pictures->count);
        return false;
    }
    for (size_t i = 0; i < s->pictures->count; i++) {
        s->cells[i] = (sheet_cell){.image = &items[i].image, .note = make_note(s, &items[i])};
    }
    for (size_t i = 0; s->ruled && i < s->rows; i++) {
        s->row_heads[i] = items[i * s->columns].prompt;
    }
    for (size_t i = 0; s->ruled && i < s->columns; i++) {
        s->column_heads[i] = captions_add(&s->texts, "seed %" PRId64, items[i].seed);
    }
    return true;
}

/** The sheet, or with NULL only whether it can be made. Gives the exit code. */
static int compose_sheet(const generate_request *request, const picture_list *pictures,
                         const char *model_name, pld_image *result) {
    picture_sheet s = {
        .request = request, .pictures = pictures, .columns = choose_columns(request, pictures->count)};
    s.columns = s.columns < pictures->count ? s.columns : pictures->count;
    s.rows = sheet_rows(pictures->count, s.columns);
    s.ruled =
        request->prompt_file != NULL && request->batch_count > 1 && s.columns == (size_t)request->batch_count;
    char common[FACETS_TEXT];
    facets_common(pictures->items, pictures->count, common);
    int code = EXIT_FAILED;
    if (fill_sheet(&s)) {
        const bool one_prompt = facets_one_prompt(pictures->items, pictures->count);
        const char *settings =
            captions_add(&s.texts, "%s%s%s", model_name, common[0] != '\0' ? ", " : "", common);
        const sheet_page page = {.title = one_prompt ? pictures->items->prompt : NULL,
                                 .subtitle = one_prompt ? settings : NULL,
                                 .footnote = one_prompt ? NULL : settings,
                                 .column_heads = s.ruled ? s.column_heads : NULL,
                                 .row_heads = s.ruled ? s.row_heads : NULL,
                                 .cells = s.cells,
                                 .rows = s.rows,
                                 .columns = s.columns,
                                 .zoom = (int)request->zoom};
        code =
            captions_failed(&s.texts, "the sheet") ? EXIT_FAILED : sheet_compose(&page, "the sheet", result);
    }
    captions_free(&s.texts);
    free(s.cells);
    free(s.row_heads);
    free(s.column_heads);
    return code;
}

int picture_file_check_sheet(const generate_request *request, const run_facts *facts,
                             const picture_list *pictures) {
    return request->compare != NULL ? comparison_check(request, pictures, facts->model_name)
                                    : compose_sheet(request, pictures, facts->model_name, NULL);
}

int picture_file_write_sheet(const generate_request *request, const run_facts *facts,
                             const picture_list *pictures) {
    pld_image page = {0};
    bool composed = request->compare != NULL
                        ? comparison_compose(request, pictures, facts->model_name, &page)
                        : compose_sheet(request, pictures, facts->model_name, &page) == EXIT_DONE;
    int code = composed ? picture_file_write_composed(request, facts, pictures, &page) : EXIT_FAILED;
    canvas_free(&page);
    return code;
}
