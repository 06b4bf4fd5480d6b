/* SPDX-License-Identifier: Apache-2.0 */
#include "evaluate/grids.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "terminal/message.h"
#include "values/json_values.h"

bool evaluate_grid_add(const char *asked_by, const char *text, evaluate_grid *grid) {
    if (grid->count == EVALUATE_MOST_AXES) {
        message_usage("--%s: expected at most %d options with several values, found more", asked_by,
                      EVALUATE_MOST_AXES);
        return false;
    }
    sweep_axis *axis = &grid->axes[grid->count];
    if (!sweep_axis_parse(asked_by, text, axis)) {
        return false;
    }
    grid->count++;
    static const char *const common[] = {"seed", "prompt", "lora", "init-img", "strength", "mask"};
    for (size_t i = 0; i < sizeof common / sizeof *common; i++) {
        if (strcmp(axis->row->name, common[i]) == 0) {
            message_usage(
                "--%s: %s cannot be varied, because all settings share the model, the prompts and the seeds",
                asked_by, common[i]);
            return false;
        }
    }
    for (size_t i = 0; i + 1 < grid->count; i++) {
        if (grid->axes[i].row == axis->row) {
            message_usage("--%s: %s is given several values twice; give them once", asked_by,
                          axis->row->name);
            return false;
        }
    }
    return true;
}

/** End of the axis that begins at `text`: a blank before the next NAME=, or the end. */
static const char *axis_end(const char *text) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    for (const char *at = strchr(text, ' '); at != NULL; at = strchr(at + 1, ' ')) {
        const char *name = at + strspn(at, " ");
        if (*name == '\0' || (strspn(name, letters) > 0 && name[strspn(name, letters)] == '=')) {
            return at;
        }
    }
    return text + strlen(text);
}

bool evaluate_grid_parse(const char *text, evaluate_grid *grid) {
    for (const char *at = text + strspn(text, " "); *at != '\0';) {
        const char *end = axis_end(at);
        char *axis = strndup(at, (size_t)(end - at));
        if (axis == NULL) {
            message_failure("out of memory for --grid");
            return false;
        }
        bool done = evaluate_grid_add("grid", axis, grid);
        free(axis);
        if (!done) {
            return false;
        }
        at = end + strspn(end, " ");
    }
    if (grid->count == 0) {
        message_usage(
            "--grid: found \"%s\", expected options and their values, as in \"pladis=0,1,2 cfg-scale=1,4\"",
            text);
    }
    return grid->count > 0;
}

void evaluate_grid_free(evaluate_grid *grid) {
    for (size_t i = 0; i < grid->count; i++) {
        sweep_axis_free(&grid->axes[i]);
    }
    grid->count = 0;
}

void evaluate_note_typed(json_t *typed, const char *name, const char *value) {
    const char *before = json_string_value(json_object_get(typed, name));
    json_t *again = json_text(value);
    const char *text = json_string_value(again);
    json_object_set_new(typed, name,
                        before != NULL && text != NULL ? json_sprintf("%s %s", before, text)
                                                       : json_incref(again));
    json_decref(again);
}

void evaluate_value_text(const option *row, const generate_request *settings, const json_t *typed, char *text,
                         size_t size) {
    const pld_option_value *value = pld_options_value(settings->values, row);
    const char *word = NULL;
    switch (row->type) {
    case PLD_OPTION_NUMBER:
        if (isnan(value->number)) {
            snprintf(text, size, "own");
        } else {
            snprintf(text, size, "%g", value->number);
        }
        return;
    case PLD_OPTION_INTEGER:
        snprintf(text, size, "%" PRId64, value->integer);
        return;
    case PLD_OPTION_FLAG:
        snprintf(text, size, "%s", value->flag ? "yes" : "no");
        return;
    case PLD_OPTION_TEXT:
    case PLD_OPTION_CHOICE:
        word = value->text;
        break;
    default:
        word = json_string_value(json_object_get(typed, row->name));
        break;
    }
    snprintf(text, size, "%s", word != NULL ? word : "own");
}
