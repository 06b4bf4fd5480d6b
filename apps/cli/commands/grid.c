/* SPDX-License-Identifier: Apache-2.0 */
/** pladis grid: a picture for each value of one or two options. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "files/output_name.h"
#include "pages/grid_picture.h"
#include "pictures/prompts.h"
#include "run/outputs.h"
#include "run/picture_file.h"
#include "run/run.h"
#include "terminal/cancel.h"
#include "terminal/message.h"

/** The options of generate, and those of the grid. */
typedef struct grid_request {
    generate_request generate; /* first, since its rows hold offsets into it */
    const char *x, *y, *csv;
} grid_request;

static bool store(void *target, const option *row, const char *value);

static const option_field fields[] = {
    {"x", offsetof(grid_request, x)},
    {"y", offsetof(grid_request, y)},
    {"csv", offsetof(grid_request, csv)},
};

const option_set grid_options = {
    .command = "grid",
    .brief = "draw a grid of pictures, one for each value of one or two options",
    .usage = "pladis grid -p PROMPT --x NAME=A,B,... [--y NAME=A,B,...] [-o GRID.png] [options of generate]",
    .summary = "Draw one picture for each value of one or two options, all in one labelled picture, and\n"
               "write a table beside it. The model is loaded once.",
    .details = "Separate the values by commas, or by semicolons if a value contains commas. A..B and "
               "A..B:STEP stand for all numbers of a range.",
    .fields = fields,
    .field_count = sizeof fields / sizeof *fields,
    .store = store,
    .examples =
        "  pladis grid -p \"two green hearts\" --x cfg-scale=1,3,5 --y pladis=0,1,2 -o grid.png\n"
        "  pladis grid -p \"two green hearts\" --x pladis-alpha=1.25,1.5,2 --y seed=1..4 -o grid.png\n"
        "  pladis grid -p \"a blue ring\" --x steps=10..30:10 --y 'sampling-method=ddim,dpm++2m'\n"
        "  pladis grid -p \"a blue ring\" --x 'pladis-blocks=all;down,up;mid'\n"
        "  pladis grid --x 'prompt=a red star;a blue star' --y seed=1..3 -o prompts.png\n",
};

static bool store(void *target, const option *row, const char *value) {
    grid_request *request = target;
    return pld_option_belongs(row, "generate")
               ? generate_options_store(&request->generate, row, value)
               : options_store(&grid_options, row, value, request->generate.values, request);
}

/** Whether the axis is one, and of that option. */
static bool varies(const sweep_axis *axis, const char *name) {
    return axis != NULL && axis->row != NULL && strcmp(axis->row->name, name) == 0;
}

/** Read the axes and check the rest; a grid over prompts needs no prompt of its own. */
static bool settle(grid_request *request, sweep_axis *x, sweep_axis *y) {
    if (request->x == NULL) {
        message_usage(
            "expected an option to vary and its values, found no --x; for example --x pladis=0,1,2");
        return false;
    }
    if (!sweep_axis_parse("x", request->x, x) ||
        (request->y != NULL && !sweep_axis_parse("y", request->y, y))) {
        return false;
    }
    if (request->y != NULL && x->row == y->row) {
        message_usage("--y: %s is already varied by --x; choose another option", y->row->name);
        return false;
    }
    if (varies(x, "prompt") || varies(y, "prompt")) {
        request->generate.prompt = "";
    }
    return generate_options_settle(&request->generate);
}

/** --csv, or --output with another ending; NULL when there is none, as beside a pipe. */
static const char *csv_name(const grid_request *request, char *name, size_t size) {
    const char *output = request->generate.output;
    if (request->csv != NULL) {
        return strcmp(request->csv, "-") == 0 ? "/dev/stdout" : request->csv;
    }
    if (strcmp(output, "-") == 0 || output_name_is_special(output)) {
        return NULL;
    }
    size_t length = strlen(output);
    bool png = length > 4 && strcmp(output + length - 4, ".png") == 0;
    snprintf(name, size, "%.*s.csv", (int)(png ? length - 4 : length), output);
    return name;
}

static int write_results(const grid_request *request, picture_run *run, const picture_grid *grid,
                         const char *csv) {
    const generate_request *settings = &request->generate;
    pld_image image = {0};
    if (!grid_picture_compose(grid, run->model_name, (int)settings->zoom, &image)) {
        return EXIT_FAILED;
    }
    int code = picture_file_write_composed(settings, &run->facts, &run->pictures, &image);
    canvas_free(&image);
    if (code == EXIT_DONE && csv != NULL) {
        code = grid_picture_write_csv(grid, csv);
        if (code == EXIT_DONE) {
            message_line("table     %s", csv);
        }
    }
    return code == EXIT_DONE ? run_report(run) : code;
}

static int draw_grid(const grid_request *request, picture_run *run, const picture_grid *grid) {
    char name[PATH_MAX];
    int code = prompts_make_grid(&request->generate, grid->x, grid->y, &run->pictures);
    const char *csv = csv_name(request, name, sizeof name);
    if (code == EXIT_DONE) {
        cancel_install();
        code = run_outputs_check(&request->generate, &run->pictures, csv);
    }
    if (code == EXIT_DONE) {
        code = run_open(run);
    }
    if (code == EXIT_DONE) {
        code = run_check(run);
    }
    if (code == EXIT_DONE) {
        code = grid_picture_check(grid, run->model_name, (int)request->generate.zoom);
    }
    for (size_t i = 0; code == EXIT_DONE && i < run->pictures.count; i++) {
        code = run_draw(run, i);
    }
    return code == EXIT_DONE ? write_results(request, run, grid, csv) : code;
}

int command_grid(int argc, char **argv) {
    static grid_request request;
    static picture_run run;
    options_result result = generate_options_read(&grid_options, argc, argv, &request);
    if (result != OPTIONS_RUN) {
        generate_options_free(&request.generate);
        return options_exit_code(result);
    }
    sweep_axis x = {0}, y = {0};
    int code = EXIT_USAGE;
    request.generate.together = true;
    if (settle(&request, &x, &y)) {
        run.request = &request.generate;
        const picture_grid grid = {&x, request.y != NULL ? &y : NULL, &run.pictures};
        code = draw_grid(&request, &run, &grid);
    }
    run_close(&run);
    sweep_axis_free(&x);
    sweep_axis_free(&y);
    generate_options_free(&request.generate);
    return code;
}
