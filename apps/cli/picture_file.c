/* SPDX-License-Identifier: Apache-2.0 */
#include "picture_file.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "comparison.h"
#include "message.h"
#include "metadata.h"
#include "output_name.h"
#include "sheet.h"
#include "whole_file.h"

enum { LABEL_SIZE = 512 };

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
    metadata text = {0};
    if (!picture_file_name(request, pictures, index, name)) {
        return EXIT_USAGE;
    }
    if (!request->no_metadata && !metadata_make(facts, &pictures->items[index], count, &text)) {
        return EXIT_FAILED;
    }
    int code = write_png(request, image, request->no_metadata ? NULL : text.pairs, name);
    metadata_free(&text);
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

/** What tells this picture from its neighbours on the sheet. */
static void make_label(const generate_request *request, const picture *drawn, char *label) {
    if (request->prompt_file != NULL && request->batch_count == 1) {
        snprintf(label, LABEL_SIZE, "%.300s", drawn->prompt);
    } else if (request->prompt_file != NULL) {
        snprintf(label, LABEL_SIZE, "%" PRId64 ": %.300s", drawn->seed, drawn->prompt);
    } else {
        snprintf(label, LABEL_SIZE, "seed %" PRId64, drawn->seed);
    }
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

/** The sheet, or with NULL only whether it can be made. Gives the exit code. */
static int compose_sheet(const generate_request *request, const picture_list *pictures, pld_image *sheet) {
    size_t count = pictures->count;
    sheet_cell *cells = calloc(count, sizeof *cells);
    char(*labels)[LABEL_SIZE] = calloc(count, sizeof *labels);
    int code = EXIT_FAILED;
    if (cells == NULL || labels == NULL) {
        message_failure("out of memory for a sheet of %zu pictures", count);
    } else {
        for (size_t i = 0; i < count; i++) {
            make_label(request, &pictures->items[i], labels[i]);
            cells[i] = (sheet_cell){.image = &pictures->items[i].image, .label = labels[i]};
        }
        const size_t columns = choose_columns(request, count);
        const int zoom = (int)request->zoom;
        code = sheet == NULL                                       ? sheet_check(cells, count, columns, zoom)
               : sheet_compose(cells, count, columns, zoom, sheet) ? EXIT_DONE
                                                                   : EXIT_FAILED;
    }
    free(labels);
    free(cells);
    return code;
}

int picture_file_check_sheet(const generate_request *request, const picture_list *pictures) {
    return request->compare != NULL ? comparison_check(request, pictures)
                                    : compose_sheet(request, pictures, NULL);
}

int picture_file_write_sheet(const generate_request *request, const run_facts *facts,
                             const picture_list *pictures) {
    pld_image sheet = {0};
    bool composed = request->compare != NULL ? comparison_compose(request, pictures, &sheet)
                                             : compose_sheet(request, pictures, &sheet) == EXIT_DONE;
    int code = composed ? picture_file_write_composed(request, facts, pictures, &sheet) : EXIT_FAILED;
    canvas_free(&sheet);
    return code;
}
