/* SPDX-License-Identifier: Apache-2.0 */
#include "evaluate/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

/** Whether the option itself takes several values; others are swept by --grid only, since a comma may be part
 * of their value. */
static bool takes_list(const option *row, const char *value) {
    bool simple = row->kind == OPTION_NUMBER || row->kind == OPTION_INTEGER || row->kind == OPTION_LISTED ||
                  row->kind == OPTION_CHOICE;
    return simple && (strpbrk(value, ",;") != NULL || strstr(value, "..") != NULL);
}

/** An option of generate, with one value or several. */
static bool accept_values(void *target, const option *row, const char *value) {
    evaluate_request *request = target;
    const option *original = generate_options_row(row->name);
    if (!takes_list(original, value) || strcmp(row->name, "seed") == 0) {
        evaluate_note_typed(request->typed, row->name, value);
        return options_store(original, value, &request->base);
    }
    char text[1024];
    int length = snprintf(text, sizeof text, "%s=%s", row->name, value);
    if (length < 0 || (size_t)length >= sizeof text) {
        message_usage("--%s: expected at most %zu characters", row->name, sizeof text);
        return false;
    }
    return evaluate_grid_add(row->name, text, &request->direct);
}

static bool accept_grid(void *target, const option *row, const char *value) {
    evaluate_request *request = target;
    if (request->grid_text_count == EVALUATE_MOST_GRIDS) {
        message_usage("--%s: expected at most %d of them, found more", row->name, EVALUATE_MOST_GRIDS);
        return false;
    }
    request->grid_texts[request->grid_text_count++] = value;
    return true;
}

#define AT(field) .offset = offsetof(evaluate_request, field)

static const option own_rows[] = {
    {.kind = OPTION_SECTION, .help = "what is evaluated"},
    {.kind = OPTION_TEXT,
     .name = "prompts",
     AT(prompts),
     .argument = "FILE",
     .help = "captions of the demo world, one a line, as text or as JSON\nobjects with \"caption\" (the "
             "model's own)"},
    {.kind = OPTION_CHOICE,
     .name = "split",
     AT(split),
     .argument = "NAME",
     .choices = "heldout development",
     .help = "which of the model's own prompts (heldout)"},
    {.kind = OPTION_INTEGER,
     .name = "each",
     AT(each),
     .argument = "N",
     .minimum = 1,
     .maximum = 1e6,
     .help = "the first N prompts of each category (all)"},
    {.kind = OPTION_INTEGER,
     .name = "seeds",
     AT(seeds),
     .argument = "N",
     .minimum = 1,
     .maximum = 250,
     .help = "pictures of each prompt in each setting (1)"},
    {.kind = OPTION_CUSTOM,
     .name = "grid",
     .argument = "\"NAME=A,B NAME=C,D\"",
     .accept = accept_grid,
     .help = "options of generate and their values; all combinations are\n"
             "drawn. ; separates values that hold commas. May be repeated:\n"
             "a setting that several grids share is drawn once"},
    {.kind = OPTION_SECTION, .help = "results"},
    {.kind = OPTION_TEXT,
     .name = "output",
     .letter = 'o',
     AT(folder),
     .argument = "FOLDER",
     .help = "where results go (evaluation); the same command goes on\nwith what is unfinished there"},
    {.kind = OPTION_TEXT,
     .name = "select",
     AT(select),
     .argument = "NAME",
     .help = "at the end print the value of this option in the best setting"},
    {.kind = OPTION_FLAG,
     .name = "keep-pictures",
     AT(keep_pictures),
     .help = "keep every picture, not only those of the contact sheets"},
    {.kind = OPTION_INTEGER,
     .name = "resamples",
     AT(resamples),
     .argument = "N",
     .minimum = 1,
     .maximum = 1e6,
     .help = "without effect: intervals are no longer a bootstrap's"},
    {.kind = OPTION_INTEGER,
     .name = "jobs",
     .letter = 'j',
     AT(jobs),
     .argument = "N",
     .minimum = 1,
     .maximum = 256,
     .help = "pictures drawn at the same time, sharing the threads (1);\nfor small models the number of "
             "cores is best"},
};
enum { OWN_ROWS = sizeof own_rows / sizeof *own_rows };

/** Options of generate that concern model and machine and not the picture. */
static bool is_of_run(const option *row) {
    static const char *const names[] = {"model", "vae",  "unet",       "tokenizer", "config", "threads",
                                        "isa",   "conv", "low-memory", "quiet",     "verbose"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (row->name != NULL && strcmp(row->name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/** Options of a picture that have no place here, with the reason. */
static const option refused_rows[] = {
    {.kind = OPTION_REFUSED, .name = "prompt", .letter = 'p', .help = "the prompts come from --prompts FILE"},
    {.kind = OPTION_REFUSED,
     .name = "init-img",
     .letter = 'i',
     .alias = "init-image",
     .help = "captions are drawn from noise, not from a picture"},
    {.kind = OPTION_REFUSED, .name = "strength", .help = "captions are drawn from noise, not from a picture"},
    {.kind = OPTION_REFUSED, .name = "mask", .help = "captions are drawn from noise, not from a picture"},
};
enum { REFUSED_ROWS = sizeof refused_rows / sizeof *refused_rows };

static bool is_refused(const char *name) {
    for (size_t i = 0; i < REFUSED_ROWS; i++) {
        if (strcmp(refused_rows[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/** A row of generate as it is here. False: it has no place. */
static bool adapt_row(const option *original, option *row) {
    *row = *original;
    if (original->kind == OPTION_REFUSED || original->kind == OPTION_SECTION || is_of_run(original)) {
        return true;
    }
    if (!original->of_picture || is_refused(original->name)) {
        return false;
    }
    if (original->kind != OPTION_FLAG) {
        row->kind = OPTION_CUSTOM;
        row->accept = accept_values;
    }
    return true;
}

/** Own rows, then those of generate; headings without options are left out. The caller frees. */
static option *make_rows(size_t *count) {
    const option_set *generate = generate_options_set();
    option *rows = malloc((OWN_ROWS + generate->count + REFUSED_ROWS) * sizeof *rows);
    if (rows == NULL) {
        message_failure("out of memory for the options");
        return NULL;
    }
    memcpy(rows, own_rows, sizeof own_rows);
    *count = OWN_ROWS;
    for (size_t i = 0; i < generate->count; i++) {
        if (adapt_row(&generate->rows[i], &rows[*count])) {
            bool after_heading =
                rows[*count].kind == OPTION_SECTION && rows[*count - 1].kind == OPTION_SECTION;
            rows[*count - after_heading] = rows[*count];
            *count += !after_heading;
        }
    }
    memcpy(rows + *count, refused_rows, sizeof refused_rows);
    *count += REFUSED_ROWS;
    return rows;
}

static bool check(evaluate_request *request) {
    if (request->prompts != NULL && request->split != NULL) {
        message_usage("--prompts and --split cannot be used together; leave one out");
        return false;
    }
    if (request->direct.count > 0 || request->grid_text_count == 0) {
        request->grids[request->grid_count++] = request->direct; /* without axes: one setting */
        request->direct = (evaluate_grid){.count = 0};
    }
    for (size_t i = 0; i < request->grid_text_count; i++) {
        if (!evaluate_grid_parse(request->grid_texts[i], &request->grids[request->grid_count++])) {
            return false;
        }
    }
    if (request->select != NULL) {
        bool varied = false;
        for (size_t i = 0; i < request->grid_count; i++) {
            for (size_t j = 0; j < request->grids[i].count; j++) {
                varied = varied || strcmp(request->grids[i].axes[j].row->name, request->select) == 0;
            }
        }
        if (!varied) {
            message_usage("--select: found \"%s\", expected an option that has several values",
                          request->select);
            return false;
        }
    }
    request->base.prompt = ""; /* each picture has its own */
    return generate_options_settle(&request->base);
}

options_result evaluate_request_parse(int argc, char **argv, evaluate_request *request) {
    size_t count = 0, positional_count = 0;
    *request = (evaluate_request){.folder = "evaluation", .seeds = 1, .jobs = 1};
    option *rows = make_rows(&count);
    request->typed = json_object();
    if (rows == NULL || request->typed == NULL) {
        free(rows);
        message_failure("out of memory for the options");
        return OPTIONS_FAILED;
    }
    const option_set set = {
        .usage = "pladis evaluate [--prompts FILE] [--grid \"NAME=A,B NAME=C,D\"]... [-o FOLDER] [options of "
                 "generate]",
        .summary =
            "Measure how well pictures follow their prompts in every setting of a grid: draw captions\n"
            "of the demo model's world with the same seeds, score every picture exactly, and write\n"
            "tables with 95 % confidence intervals, plots and contact sheets. A numeric option may\n"
            "have several values itself: --pladis 0,1,2 --cfg-scale 1,4. After an interruption the\n"
            "same command continues the run.",
        .rows = rows,
        .count = count,
        .examples =
            "  pladis evaluate --pladis 0,0.5,1,1.5,2 --cfg-scale 1,2,4 --steps 10 -j 2 -o evaluation\n"
            "  pladis evaluate --split development --pladis 0 --cfg-scale 1,2,4,6,8 --select cfg-scale\n"
            "  pladis evaluate --grid \"pladis=0,1,2 cfg-scale=1,4\" --grid \"pladis=1,2 "
            "pladis-alpha=1.25,2\"\n"
            "  pladis evaluate --prompts mine.txt --grid \"pladis-blocks=all;down,up;mid\"\n",
    };
    generate_options_defaults(&request->base);
    options_result result = options_parse(&set, argc, argv, request, NULL, &positional_count);
    free(rows);
    if (result == OPTIONS_RUN && !check(request)) {
        result = OPTIONS_WRONG;
    }
    if (result == OPTIONS_RUN && request->resamples > 0) {
        message_note("--resamples has no effect, because Wilson's and Bonett and Price's intervals need no "
                     "resampling");
    }
    return result;
}

void evaluate_request_free(evaluate_request *request) {
    evaluate_grid_free(&request->direct);
    for (size_t i = 0; i < request->grid_count; i++) {
        evaluate_grid_free(&request->grids[i]);
    }
    json_decref(request->typed);
    request->typed = NULL;
}
