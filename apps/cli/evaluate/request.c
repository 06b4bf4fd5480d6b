/* SPDX-License-Identifier: Apache-2.0 */
#include "evaluate/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "terminal/message.h"

/** Whether the option itself takes several values; others are swept by --grid only, since a comma may be part
 * of their value. */
static bool takes_list(const option *row, const char *value) {
    bool simple =
        row->type == PLD_OPTION_NUMBER || row->type == PLD_OPTION_INTEGER || row->type == PLD_OPTION_CHOICE;
    return simple && (strpbrk(value, ",;") != NULL || strstr(value, "..") != NULL);
}

/** An option of a picture, with one value or several. */
static bool accept_values(evaluate_request *request, const option *row, const char *value) {
    if (!takes_list(row, value) || strcmp(row->name, "seed") == 0) {
        evaluate_note_typed(request->typed, row->name, value);
        return generate_options_put(&request->base, row, value);
    }
    char text[1024];
    int length = snprintf(text, sizeof text, "%s=%s", row->name, value);
    if (length < 0 || (size_t)length >= sizeof text) {
        message_usage("--%s: expected at most %zu characters", row->name, sizeof text);
        return false;
    }
    return evaluate_grid_add(row->name, text, &request->direct);
}

static bool store(void *target, const option *row, const char *value);

#define FIELD(name, field)                                                                                   \
    { (name), offsetof(evaluate_request, field) }

static const option_field fields[] = {
    FIELD("prompts", prompts),
    FIELD("split", split),
    FIELD("each", each),
    FIELD("seeds", seeds),
    FIELD("grid", grid_text_count),
    FIELD("output", folder),
    FIELD("select", select),
    FIELD("keep-pictures", keep_pictures),
    FIELD("resamples", resamples),
    FIELD("jobs", jobs),
};

const option_set evaluate_options = {
    .command = "evaluate",
    .brief = "measure how well pictures follow their prompts, in every setting of a grid",
    .usage = "pladis evaluate [--prompts FILE] [--grid \"NAME=A,B NAME=C,D\"]... [-o FOLDER] [options of "
             "generate]",
    .summary = "Measure how well pictures follow their prompts in every setting of a grid: draw captions\n"
               "of the demo model's world with the same seeds, score every picture exactly, and write\n"
               "tables with 95 % confidence intervals, plots and contact sheets. A numeric option may\n"
               "have several values itself: --pladis 0,1,2 --cfg-scale 1,4. After an interruption the\n"
               "same command continues the run.",
    .details = "Options of generate set how pictures are drawn. An option that takes a number or a name "
               "may have several values here, separated by commas; all combinations are drawn.",
    .fields = fields,
    .field_count = sizeof fields / sizeof *fields,
    .store = store,
    .examples = "  pladis evaluate --pladis 0,0.5,1,1.5,2 --cfg-scale 1,2,4 --steps 10 -j 2 -o evaluation\n"
                "  pladis evaluate --split development --pladis 0 --cfg-scale 1,2,4,6,8 --select cfg-scale\n"
                "  pladis evaluate --grid \"pladis=0,1,2 cfg-scale=1,4\" --grid \"pladis=1,2 "
                "pladis-alpha=1.25,2\"\n"
                "  pladis evaluate --prompts mine.txt --grid \"pladis-blocks=all;down,up;mid\"\n",
};

static bool store(void *target, const option *row, const char *value) {
    evaluate_request *request = target;
    if (!pld_option_belongs(row, "generate")) {
        return options_store(&evaluate_options, row, value, request->base.values, request);
    }
    return row->of_picture && row->type != PLD_OPTION_FLAG ? accept_values(request, row, value)
                                                           : generate_options_put(&request->base, row, value);
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
    const pld_option_value *texts = pld_options_get(request->base.values, "evaluate", "grid");
    for (size_t i = 0; i < texts->count; i++) {
        if (!evaluate_grid_parse(texts->texts[i], &request->grids[request->grid_count++])) {
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
    size_t positional_count = 0;
    *request = (evaluate_request){.typed = json_object()};
    if (!generate_options_defaults(&request->base)) {
        return OPTIONS_FAILED;
    }
    if (request->typed == NULL) {
        message_failure("out of memory for the options");
        return OPTIONS_FAILED;
    }
    options_take(&evaluate_options, NULL, request->base.values, request);
    options_result result =
        options_parse(&evaluate_options, argc, argv, request->base.values, request, NULL, &positional_count);
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
    generate_options_free(&request->base);
    json_decref(request->typed);
    request->typed = NULL;
}
