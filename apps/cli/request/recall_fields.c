/* SPDX-License-Identifier: Apache-2.0 */
#include "request/recall_fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "request/given.h"
#include "terminal/message.h"

enum { LONGEST_NAME = 64, LONGEST_NUMBER = 32 };

static bool refuse(const char *path, const char *key, const char *expected) {
    message_failure("%s: metadata field '%.60s': expected %s; give the options yourself, in place of --from",
                    path, key, expected);
    return false;
}

/** One part of a path that leads nowhere else, before a colon where a LoRA's weight follows. */
static bool is_plain_name(const char *name) {
    size_t length = strcspn(name, ":");
    return length > 0 && strchr(name, '/') == NULL && (length > 2 || strncmp(name, "..", length) != 0);
}

/** Store a value that the option takes; another one is the picture's fault, not the command line's. `value` must live as
 *  long as the request where the option keeps texts. */
static bool put(const char *path, const option *row, const char *value, generate_request *request) {
    pld_options *trial = NULL;
    pld_error error = {0};
    pld_status status = pld_options_copy(request->values, &trial, &error);
    if (status == PLD_OK) {
        status = pld_options_set_option(trial, row, value, &error);
    }
    pld_options_destroy(&trial);
    if (status == PLD_OK) {
        return generate_options_put(request, row, value);
    }
    if (status == PLD_ERROR_MEMORY) {
        message_error(&error);
    } else {
        message_failure("%s: its metadata: %s; give the options yourself, in place of --from", path,
                        error.message);
    }
    return false;
}

static bool store_text(const char *path, const option *row, const char *value, generate_request *request) {
    /* files lie in the current folder: a picture names no other */
    if (row->is_file && !is_plain_name(value)) {
        return refuse(path, row->name, "the name of a file, without folders");
    }
    return put(path, row, value, request);
}

static void format_number(const json_t *value, char *text) {
    if (json_is_integer(value)) {
        snprintf(text, LONGEST_NUMBER, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else {
        snprintf(text, LONGEST_NUMBER, "%.17g", json_real_value(value));
    }
}

/** Numbers become one value with commas between; texts are stored one after the other. */
static bool store_array(const char *path, const option *row, const json_t *list, generate_request *request) {
    size_t count = json_array_size(list), used = 0;
    const bool numbers = row->type == PLD_OPTION_NUMBERS;
    char *joined = numbers ? calloc(count + 1, LONGEST_NUMBER + 1) : NULL;
    bool done = !numbers || joined != NULL;
    if (!done) {
        message_failure("%s: out of memory", path);
    }
    for (size_t i = 0; done && i < count; i++) {
        const json_t *item = json_array_get(list, i);
        if (numbers && json_is_number(item)) {
            char text[LONGEST_NUMBER];
            format_number(item, text);
            used += (size_t)snprintf(joined + used, LONGEST_NUMBER + 1, "%s%s", i > 0 ? "," : "", text);
        } else if (!numbers && json_is_string(item)) {
            done = store_text(path, row, json_string_value(item), request);
        } else {
            done = refuse(path, row->name, numbers ? "a list of numbers" : "a list of strings");
        }
    }
    done = done && (!numbers || count == 0 || put(path, row, joined, request));
    free(joined);
    return done;
}

/** The option of a field: its name with '-' for '_'. */
static void option_name(const char *key, char name[LONGEST_NAME]) {
    snprintf(name, LONGEST_NAME, "%s", key);
    for (char *at = name; *at != '\0'; at++) {
        if (*at == '_') {
            *at = '-';
        }
    }
}

/** What a field of this option holds, in words. */
static const char *expected_of(const option *row) {
    switch (row->type) {
    case PLD_OPTION_INTEGER:
    case PLD_OPTION_NUMBER:
        return "a number";
    case PLD_OPTION_NUMBERS:
        return "a list of numbers";
    case PLD_OPTION_TEXTS:
        return "a list of strings";
    default:
        return "a string";
    }
}

static bool store_field(const char *path, const char *key, const json_t *value, generate_request *request) {
    char name[LONGEST_NAME], number[LONGEST_NUMBER];
    option_name(key, name);
    const option *row = generate_options_row(name);
    if (row == NULL || !row->of_picture) {
        return refuse(path, key, "an option of this version");
    }
    if (json_is_null(value)) {
        return true;
    }
    if (row->type == PLD_OPTION_FLAG) {
        return json_is_false(value) || (json_is_true(value) && generate_options_put(request, row, "")) ||
               refuse(path, key, "true or false");
    }
    if (json_is_array(value) && (row->type == PLD_OPTION_NUMBERS || row->type == PLD_OPTION_TEXTS)) {
        return store_array(path, row, value, request);
    }
    if (json_is_string(value)) {
        return store_text(path, row, json_string_value(value), request);
    }
    if (!json_is_number(value) || (row->type != PLD_OPTION_INTEGER && row->type != PLD_OPTION_NUMBER)) {
        return refuse(path, key, expected_of(row));
    }
    format_number(value, number);
    return put(path, row, number, request);
}

/** store_field, and note whose value it is. */
static bool record_field(const char *path, const char *key, const json_t *value, generate_request *request) {
    if (!store_field(path, key, value, request)) {
        return false;
    }
    char name[LONGEST_NAME];
    option_name(key, name);
    given_mark_recorded(request, generate_options_row(name));
    for (size_t i = 0; i < request->loras.count; i++) {
        request->loras.items[i].recorded = true;
    }
    return true;
}

/** NULL after an error line; *result says whose fault it is. */
static const json_t *choose_picture(const char *path, const json_t *top, int64_t number,
                                    options_result *result) {
    const json_t *list = json_object_get(top, "pictures");
    size_t count = json_array_size(list);
    *result =
        count > 0 && (number > (int64_t)count || (number == 0 && count > 1)) ? OPTIONS_WRONG : OPTIONS_FAILED;
    if (count == 0) {
        refuse(path, "pictures", "a list of pictures");
        return NULL;
    }
    if (number == 0 && count > 1) {
        message_usage("--from: %s shows %zu pictures; choose one with --from-picture 1 to %zu", path, count,
                      count);
        return NULL;
    }
    if (number > (int64_t)count) {
        message_usage("--from-picture: found %" PRId64 ", but %s shows %zu", number, path, count);
        return NULL;
    }
    const json_t *chosen = json_array_get(list, number > 0 ? (size_t)number - 1 : 0);
    if (!json_is_object(chosen)) {
        refuse(path, "pictures", "a list of objects");
        return NULL;
    }
    return chosen;
}

/** Our own metadata names a model; that of others may not, and -m must then. */
static bool store_model(const char *path, const json_t *top, bool foreign, generate_request *request) {
    if (foreign && json_object_get(top, "model") == NULL) {
        request->model = NULL;
        return true;
    }
    const char *model = json_string_value(json_object_get(top, "model"));
    if (model == NULL || !is_plain_name(model)) {
        return refuse(path, "model", "the name of a model, without folders");
    }
    request->model = model;
    return true;
}

options_result recall_store(const char *path, const json_t *top, bool foreign, int64_t number,
                            generate_request *request) {
    options_result result = OPTIONS_FAILED;
    const json_t *chosen = choose_picture(path, top, number, &result);
    const char *key = NULL;
    json_t *value = NULL;
    if (chosen == NULL || !store_model(path, top, foreign, request)) {
        return result;
    }
    json_object_foreach((json_t *)(uintptr_t)chosen, key, value) {
        if (!record_field(path, key, value, request)) {
            return OPTIONS_FAILED;
        }
    }
    return OPTIONS_RUN;
}
