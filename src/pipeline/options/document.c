/* SPDX-License-Identifier: Apache-2.0 */
/** All values of a command as one JSON object. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/status.h"
#include "core/text.h"
#include "io/json/build.h"
#include "io/json/read.h"
#include "pipeline/options/options.h"
#include "pipeline/options/value.h"

enum { LONGEST_NAME = 64, MOST_VALUES = 10000 };

static json_t *list_of(pld_json_builder *builder, const pld_option_value *value) {
    json_t *list = json_array();
    for (size_t i = 0; i < value->count; i++) {
        pld_json_append(builder, list,
                        value->texts ? json_string(value->texts[i]) : json_real(value->numbers[i]));
    }
    return list;
}

/** One value; NULL where memory is out, or a text is not UTF-8. */
static json_t *value_of(pld_json_builder *builder, const pld_option_row *row, const pld_option_value *value) {
    char *text = NULL;
    json_t *made = NULL;
    switch (row->about.type) {
    case PLD_OPTION_FLAG:
        return json_boolean(value->flag);
    case PLD_OPTION_INTEGER:
        return json_integer(value->integer);
    case PLD_OPTION_NUMBER:
        return json_real(value->number);
    case PLD_OPTION_NUMBERS:
    case PLD_OPTION_TEXTS:
        return list_of(builder, value);
    default:
        if (pld_option_print(row, value, &text, NULL) == PLD_OK && text) {
            made = json_string(text);
        }
        pld_free(text);
        return made;
    }
}

pld_status pld_options_save(const pld_options *options, const char *command, char **text, pld_error *error) {
    PLD_NEED(options);
    PLD_NEED(text);
    pld_json_builder builder = {0};
    json_t *object = json_object();
    *text = NULL;
    for (size_t i = 0; pld_option_row_at(i); i++) {
        const pld_option_row *row = pld_option_row_at(i);
        char name[LONGEST_NAME];
        if (!options->values[i].is_set || row->about.type >= PLD_OPTION_HABIT ||
            !pld_option_belongs(&row->about, command ? command : "generate")) {
            continue;
        }
        pld_print_text(name, sizeof name, "%s", row->about.name);
        for (char *at = name; *at; at++) {
            if (*at == '-') {
                *at = '_';
            }
        }
        pld_json_put(&builder, object, name, value_of(&builder, row, &options->values[i]));
    }
    json_t *whole = pld_json_finish(&builder, object);
    *text = whole ? pld_json_dump(whole, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(whole);
    return *text
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_MEMORY, "options: out of memory for JSON, or a text is not UTF-8");
}

/** One part of a path that leads nowhere else, before a colon where a LoRA's weight follows. */
static bool is_plain_name(const char *name) {
    const size_t length = strcspn(name, ":");
    return length > 0 && !strchr(name, '/') && !strchr(name, '\\') &&
           (length > 2 || strncmp(name, "..", length) != 0);
}

/** Whether a text of this scope may set the option at all. */
static pld_status check_scope(const pld_option *option, pld_options_scope scope, pld_error *error) {
    if (scope == PLD_OPTIONS_OF_PICTURE && !option->of_picture) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "%s: expected an option of a picture", option->name);
    }
    if (scope == PLD_OPTIONS_REMOTE && option->remote == PLD_REMOTE_NEVER) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "%s: cannot be set from outside", option->name);
    }
    if (scope == PLD_OPTIONS_REMOTE && option->remote == PLD_REMOTE_UPLOAD) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "%s: expected the file itself, found a name",
                        option->name);
    }
    return PLD_OK;
}

static pld_status set_text(pld_options *options, const pld_option *option, const char *text,
                           pld_options_scope scope, pld_error *error) {
    if (option->is_file && scope != PLD_OPTIONS_ALL && !is_plain_name(text)) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "%s: found \"%.200s\", expected the name of a file without folders", option->name,
                        text);
    }
    return pld_options_set_option(options, option, text, error);
}

static bool number_text(const json_t *value, char text[PLD_NUMBER_TEXT]) {
    if (json_is_integer(value)) {
        pld_print_text(text, PLD_NUMBER_TEXT, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else if (json_is_real(value)) {
        pld_print_shortest(json_real_value(value), text);
    }
    return json_is_number(value);
}

/** A list of numbers becomes one value, each text of a list one of its own. */
static pld_status set_list(pld_options *options, const pld_option *option, const json_t *list,
                           pld_options_scope scope, pld_error *error) {
    const size_t count = json_array_size(list);
    size_t used = 0;
    const bool numbers = option->type == PLD_OPTION_NUMBERS;
    char *joined = numbers ? pld_allocate(count, PLD_NUMBER_TEXT + 1) : NULL;
    pld_status status = numbers && !joined ? pld_fail_memory(error, count, option->name) : PLD_OK;
    for (size_t i = 0; status == PLD_OK && i < count; i++) {
        const json_t *item = json_array_get(list, i);
        char number[PLD_NUMBER_TEXT];
        if (numbers && number_text(item, number)) {
            used +=
                (size_t)pld_print_text(joined + used, PLD_NUMBER_TEXT + 1, "%s%s", i > 0 ? "," : "", number);
        } else if (option->type == PLD_OPTION_TEXTS && json_is_string(item)) {
            status = set_text(options, option, json_string_value(item), scope, error);
        } else {
            status = pld_fail(error, PLD_ERROR_ARGUMENT, "%s: expected a list of %s", option->name,
                              numbers ? "numbers" : "strings");
        }
    }
    if (status == PLD_OK && numbers && count > 0) {
        status = pld_options_set_option(options, option, joined, error);
    }
    pld_free(joined);
    return status;
}

static pld_status set_json(pld_options *options, const pld_option *option, const json_t *value,
                           pld_options_scope scope, pld_error *error) {
    char number[PLD_NUMBER_TEXT];
    pld_options_reset(options, option);
    if (json_is_null(value)) {
        return PLD_OK;
    }
    if (json_is_boolean(value) && option->type == PLD_OPTION_FLAG) {
        return pld_options_set_option(options, option, json_is_true(value) ? "yes" : "no", error);
    }
    if (json_is_array(value) && (option->type == PLD_OPTION_NUMBERS || option->type == PLD_OPTION_TEXTS)) {
        return set_list(options, option, value, scope, error);
    }
    if (json_is_string(value)) {
        return set_text(options, option, json_string_value(value), scope, error);
    }
    const bool of_number = option->type == PLD_OPTION_INTEGER || option->type == PLD_OPTION_NUMBER ||
                           option->type == PLD_OPTION_SIZE || option->type == PLD_OPTION_NUMBERS;
    return of_number && number_text(value, number)
               ? pld_options_set_option(options, option, number, error)
               : pld_fail(error, PLD_ERROR_ARGUMENT, "%s: expected %s", option->name,
                          option->type == PLD_OPTION_FLAG ? "true or false"
                          : of_number                     ? "a number"
                                                          : "a string");
}

static pld_status set_all(pld_options *options, const char *command, const json_t *object,
                          pld_options_scope scope, pld_error *error) {
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        const pld_option *option = pld_option_find(command, key);
        if (!option || pld_option_refusal(option, command ? command : "generate")) {
            PLD_TRY(pld_options_set(options, command, key, "", error)); /* says why not */
            continue;
        }
        PLD_TRY(check_scope(option, scope, error));
        PLD_TRY(set_json(options, option, value, scope, error));
    }
    return PLD_OK;
}

pld_status pld_options_load(pld_options *options, const char *command, const char *text, size_t length,
                            pld_options_scope scope, pld_error *error) {
    PLD_NEED(options);
    PLD_NEED(text);
    if (scope != PLD_OPTIONS_ALL && scope != PLD_OPTIONS_OF_PICTURE && scope != PLD_OPTIONS_REMOTE) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "scope: expected a pld_options_scope, found %d",
                        (int)scope);
    }
    json_t *document = NULL;
    pld_options *changed = NULL;
    PLD_TRY(pld_json_parse_bounded(text, length, MOST_VALUES, "options", &document, error));
    pld_status status = json_is_object(document)
                            ? pld_options_copy(options, &changed, error)
                            : pld_fail(error, PLD_ERROR_FORMAT, "options: expected a JSON object");
    if (status == PLD_OK) {
        status = set_all(changed, command, document, scope, error);
    }
    if (status == PLD_OK) {
        const pld_options before = *options;
        *options = *changed;
        *changed = before;
    }
    pld_options_destroy(&changed);
    json_decref(document);
    return status;
}
