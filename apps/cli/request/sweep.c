/* SPDX-License-Identifier: Apache-2.0 */
#include "request/sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "request/given.h"
#include "terminal/message.h"
#include "values/number.h"

enum { LONGEST_NAME = 64, LONGEST_VALUE = 32 };

static char *copy(const char *text, size_t length) {
    char *made = malloc(length + 1);
    if (made != NULL) {
        memcpy(made, text, length);
        made[length] = '\0';
    }
    return made;
}

/** A copy of a text that is drawn: UTF-8 in any case. */
static char *copy_repaired(const char *text, size_t length) {
    char *repaired = NULL;
    size_t size = 0;
    if (pld_utf8_repair(text, length, &repaired, &size, NULL) != PLD_OK) {
        return NULL;
    }
    char *made = copy(repaired, size);
    pld_string_free(&repaired);
    return made;
}

static bool add_value(const char *asked_by, sweep_axis *axis, const char *text, size_t length) {
    if (axis->count == SWEEP_MOST_VALUES) {
        message_usage("--%s: expected at most %d values of %s, found more", asked_by, SWEEP_MOST_VALUES,
                      axis->row->name);
        return false;
    }
    axis->values[axis->count] = axis->row->is_prose ? copy_repaired(text, length) : copy(text, length);
    if (axis->values[axis->count] == NULL) {
        message_failure("out of memory for the values of --%s", asked_by);
        return false;
    }
    axis->count++;
    return true;
}

/** "A..B" or "A..B:STEP" → the numbers; *is_range is false where `text` is none. */
static bool add_range(const char *asked_by, sweep_axis *axis, const char *text, size_t length,
                      bool *is_range) {
    char whole[3 * LONGEST_VALUE], number[LONGEST_VALUE];
    double first = 0, last = 0, step = 1;
    *is_range = false;
    if (length >= sizeof whole) {
        return true;
    }
    memcpy(whole, text, length);
    whole[length] = '\0';
    char *dots = strstr(whole, ".."), *colon = strchr(whole, ':');
    if (dots == NULL) {
        return true;
    }
    *dots = '\0';
    if (colon != NULL) {
        *colon = '\0';
    }
    if (!number_real(whole, &first) || !number_real(dots + 2, &last) ||
        (colon != NULL && !number_real(colon + 1, &step))) {
        return true; /* a text with dots: the option itself says what it thinks of it */
    }
    *is_range = true;
    double count = floor((last - first) / step + 1e-9) + 1;
    if (!(step > 0) || !(count >= 1) || count > SWEEP_MOST_VALUES) {
        message_usage(
            "--%s: found \"%.*s\", expected A..B or A..B:STEP with A below B, a positive step and at most "
            "%d values",
            asked_by, (int)length, text, SWEEP_MOST_VALUES);
        return false;
    }
    for (int i = 0; i < (int)count; i++) {
        int written = snprintf(number, sizeof number, "%.10g", first + i * step);
        if (!add_value(asked_by, axis, number, (size_t)written)) {
            return false;
        }
    }
    return true;
}

static bool add_values(const char *asked_by, sweep_axis *axis, const char *text) {
    const char *between = strchr(text, ';') != NULL ? ";" : ",";
    for (const char *at = text;;) {
        size_t length = strcspn(at, between);
        bool is_range = false;
        if (!add_range(asked_by, axis, at, length, &is_range) ||
            (!is_range && !add_value(asked_by, axis, at, length))) {
            return false;
        }
        if (at[length] == '\0') {
            return true;
        }
        at += length + 1;
    }
}

static bool find_row(const char *asked_by, const char *text, sweep_axis *axis) {
    char name[LONGEST_NAME];
    size_t length = strcspn(text, "=");
    if (text[length] == '\0' || length == 0 || length >= sizeof name) {
        message_usage("--%s: found \"%.200s\", expected an option and its values, as in pladis=0,1,2",
                      asked_by, text);
        return false;
    }
    snprintf(name, sizeof name, "%.*s", (int)length, text + strspn(text, "-"));
    name[strcspn(name, "=")] = '\0';
    axis->row = generate_options_row(name);
    if (axis->row == NULL) {
        message_usage("--%s: unknown option \"%.200s\"; pladis generate --help lists the options", asked_by,
                      name);
    } else if (!axis->row->of_picture || axis->row->type == PLD_OPTION_FLAG) {
        message_usage("--%s: %s cannot be varied, because it applies to the whole run", asked_by,
                      axis->row->name);
    } else {
        return true;
    }
    return false;
}

bool sweep_axis_parse(const char *asked_by, const char *text, sweep_axis *axis) {
    *axis = (sweep_axis){0};
    if (!find_row(asked_by, text, axis)) {
        return false;
    }
    generate_request *tried = malloc(sizeof *tried);
    axis->values = calloc(SWEEP_MOST_VALUES, sizeof *axis->values);
    bool done = tried != NULL && axis->values != NULL;
    if (!done) {
        message_failure("out of memory for the values of --%s", asked_by);
    }
    done = done && add_values(asked_by, axis, text + strcspn(text, "=") + 1);
    for (size_t i = 0; done && i < axis->count; i++) {
        done = generate_options_defaults(tried) && sweep_axis_apply(axis, i, tried);
        generate_options_free(tried);
    }
    free(tried);
    if (!done) {
        sweep_axis_free(axis);
    }
    return done;
}

void sweep_axis_free(sweep_axis *axis) {
    for (size_t i = 0; axis->values != NULL && i < axis->count; i++) {
        free(axis->values[i]);
    }
    free(axis->values);
    *axis = (sweep_axis){0};
}

bool sweep_axis_apply(const sweep_axis *axis, size_t index, generate_request *settings) {
    return generate_options_store(settings, axis->row, axis->values[index]) && given_settle(settings);
}

void sweep_row_title(const option *row, char *title, size_t size) {
    snprintf(title, size, "%s", row->title != NULL && row->title[0] != '\0' ? row->title : row->name);
    for (char *at = title; row->title == NULL && *at != '\0'; at++) {
        if (*at == '-') {
            *at = ' ';
        }
    }
}

void sweep_value_label(const option *row, const char *value, char *label, size_t size) {
    char title[LONGEST_NAME];
    if (row->symbol != NULL) {
        snprintf(label, size, "%s = %s", row->symbol, value);
    } else if (row->title != NULL && row->title[0] == '\0') {
        snprintf(label, size, "%s", value);
    } else {
        sweep_row_title(row, title, sizeof title);
        snprintf(label, size, "%s %s", title, value);
    }
}

void sweep_axis_label(const sweep_axis *axis, size_t index, char *label, size_t size) {
    sweep_value_label(axis->row, axis->values[index], label, size);
}
