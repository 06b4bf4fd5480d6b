/* SPDX-License-Identifier: Apache-2.0 */
#include "picture_file.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attention_picture.h"
#include "cancel.h"
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

/** Whether the files of an option that writes one for each picture can be written. */
static int check_side_files(const char *option_name, const char *pattern, const picture_list *pictures) {
    char name[PATH_MAX];
    for (size_t i = 0; pattern != NULL && i < pictures->count; i++) {
        if (!picture_file_side_name(option_name, pattern, pictures, i, name, sizeof name)) {
            return EXIT_USAGE;
        }
        if (!whole_file_can_write(option_name, name)) {
            return EXIT_FAILED;
        }
    }
    return EXIT_DONE;
}

/** Path of picture `index`; false after an error line. */
static bool picture_name(const generate_request *request, const picture_list *pictures, size_t index,
                         char *name) {
    size_t count = picture_file_is_sheet(request) ? 1 : pictures->count;
    if (!output_name(request->output, index + 1, count, name, PATH_MAX)) {
        message_usage("--output: the file name is too long");
        return false;
    }
    return true;
}

int picture_file_check(const generate_request *request, const picture_list *pictures) {
    char name[PATH_MAX];
    bool to_output = strcmp(request->output, "-") == 0;
    if (to_output && isatty(STDOUT_FILENO)) {
        return message_usage(
            "--output: - would write a PNG to the terminal; redirect standard output or name a file");
    }
    if (to_output && pictures->count > 1 && !picture_file_is_sheet(request)) {
        return message_usage("--output: - takes one picture, found %zu; use --sheet or a file name",
                             pictures->count);
    }
    size_t files = to_output ? 0 : picture_file_is_sheet(request) ? 1 : pictures->count;
    for (size_t i = 0; i < files; i++) {
        if (!picture_name(request, pictures, i, name)) {
            return EXIT_USAGE;
        }
        if (!whole_file_can_write("output", name)) {
            return name[0] == '\0' ? EXIT_USAGE : EXIT_FAILED;
        }
    }
    for (size_t i = 0; request->attention_maps != NULL && i < pictures->count; i++) {
        if (!attention_picture_name(request, i, pictures->count, name, sizeof name)) {
            return EXIT_USAGE;
        }
        if (!whole_file_can_write("attention-maps-output", name)) {
            return EXIT_FAILED;
        }
    }
    int code = check_side_files("dump", request->dump, pictures);
    code = code == EXIT_DONE ? check_side_files("attention-stats", request->attention_stats, pictures) : code;
    if (code != EXIT_DONE) {
        return code;
    }
    if ((request->preview_file != NULL && !whole_file_can_write("preview-file", request->preview_file)) ||
        (request->report != NULL && !whole_file_can_write("report", request->report)) ||
        (request->profile != NULL && !whole_file_can_write("profile", request->profile))) {
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

int picture_file_write_bare(const pld_image *image, const char *name) {
    pld_error error = {0};
    cancel_guard_begin();
    pld_status status = pld_image_write_png(image, name, NULL, &error);
    cancel_guard_end();
    if (status != PLD_OK) {
        return message_error(&error);
    }
    message_line("picture   %s", name);
    return EXIT_DONE;
}

/** Write one PNG to `name` or standard output. */
static int write_png(const generate_request *request, const pld_image *image, const char *const *text,
                     const char *name) {
    pld_error error = {0};
    if (strcmp(request->output, "-") != 0) {
        cancel_guard_begin();
        pld_status status = pld_image_write_png(image, name, text, &error);
        cancel_guard_end();
        if (status != PLD_OK) {
            return message_error(&error);
        }
        message_line("picture   %s", name);
        return EXIT_DONE;
    }
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (pld_image_encode_png(image, text, &bytes, &size, &error) != PLD_OK) {
        return message_error(&error);
    }
    bool done = whole_file_to_output(bytes, size);
    pld_bytes_free(&bytes);
    return done ? EXIT_DONE : EXIT_FAILED;
}

/** Write `image`, which shows `count` pictures from `index` on. */
static int write_described(const generate_request *request, const run_facts *facts,
                           const picture_list *pictures, size_t index, size_t count, const pld_image *image) {
    char name[PATH_MAX];
    metadata text = {0};
    if (!picture_name(request, pictures, index, name)) {
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

static bool compose_sheet(const generate_request *request, const picture_list *pictures, pld_image *sheet) {
    size_t count = pictures->count;
    sheet_cell *cells = calloc(count, sizeof *cells);
    char(*labels)[LABEL_SIZE] = calloc(count, sizeof *labels);
    bool done = false;
    if (cells == NULL || labels == NULL) {
        message_failure("out of memory for a sheet of %zu pictures", count);
    } else {
        for (size_t i = 0; i < count; i++) {
            make_label(request, &pictures->items[i], labels[i]);
            cells[i] = (sheet_cell){.image = &pictures->items[i].image, .label = labels[i]};
        }
        done = sheet_compose(cells, count, choose_columns(request, count), (int)request->zoom, sheet);
    }
    free(labels);
    free(cells);
    return done;
}

int picture_file_write_sheet(const generate_request *request, const run_facts *facts,
                             const picture_list *pictures) {
    pld_image sheet = {0};
    bool composed = request->compare != NULL ? comparison_compose(request, pictures, &sheet)
                                             : compose_sheet(request, pictures, &sheet);
    int code = composed ? picture_file_write_composed(request, facts, pictures, &sheet) : EXIT_FAILED;
    canvas_free(&sheet);
    return code;
}
