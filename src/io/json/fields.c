/* SPDX-License-Identifier: Apache-2.0 */
/* Typed access to the fields of a parsed document. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "io/json/read.h"

enum { FOUND_BYTES = 96 };

/** Describe a value for a message: "the string 'x'", "-3", "a list of 4". */
static const char *describe(const json_t *value, char *text) {
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        snprintf(text, FOUND_BYTES, "a list of %zu", json_array_size(value));
        return text;
    case JSON_STRING:
        snprintf(text, FOUND_BYTES, "the string '%.60s'", json_string_value(value));
        return text;
    case JSON_INTEGER:
        snprintf(text, FOUND_BYTES, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return text;
    case JSON_REAL:
        pld_print_text(text, FOUND_BYTES, "%g", json_real_value(value));
        return text;
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    case JSON_NULL:
        break;
    }
    return value ? "null" : "nothing";
}

pld_status pld_json_mismatch(const pld_json *at, const char *expected, pld_error *error) {
    char found[FOUND_BYTES];
    if (!at->path[0]) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: expected %s, found %s", at->file, expected,
                        describe(at->value, found));
    }
    return pld_fail(error, PLD_ERROR_FORMAT, "%s: field '%s': expected %s, found %s", at->file, at->path,
                    expected, describe(at->value, found));
}

/** printf into a path; one that does not fit is only shown in messages and ends in "...". */
static void PLD_PRINTF(2, 3) set_path(pld_json *at, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = pld_print_arguments(at->path, sizeof at->path, format, arguments);
    va_end(arguments);
    if (length >= (int)sizeof at->path) {
        memcpy(at->path + sizeof at->path - 4, "...", 4);
    }
}

pld_status pld_json_top(const json_t *document, const char *file, pld_json *top, pld_error *error) {
    *top = (pld_json){.value = document, .file = file};
    return json_is_object(document) ? PLD_OK : pld_json_mismatch(top, "an object { … }", error);
}

bool pld_json_has(const pld_json *at, const char *field) {
    const json_t *value = json_object_get(at->value, field);
    return value && !json_is_null(value);
}

bool pld_json_is_null(const pld_json *at, const char *field) {
    return json_is_null(json_object_get(at->value, field));
}

pld_status pld_json_field(const pld_json *at, const char *field, pld_json_need need, pld_json *child,
                          pld_error *error) {
    /* built aside, since `child` may be `at` */
    pld_json found = {.value = json_object_get(at->value, field), .file = at->file};
    set_path(&found, "%s%s%s", at->path, at->path[0] ? "." : "", field);
    if (json_is_null(found.value) && need == PLD_JSON_NULLABLE) {
        found.value = NULL;
    }
    *child = found;
    if (!found.value && need == PLD_JSON_REQUIRED) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: field '%s' is missing", found.file, found.path);
    }
    return PLD_OK;
}

void pld_json_element(const pld_json *array, size_t index, pld_json *element) {
    pld_json found = {.value = json_array_get(array->value, index), .file = array->file};
    set_path(&found, "%s[%zu]", array->path, index);
    *element = found;
}

pld_status pld_json_object(const pld_json *at, const char *field, pld_json_need need, pld_json *child,
                           pld_error *error) {
    PLD_TRY(pld_json_field(at, field, need, child, error));
    return !child->value || json_is_object(child->value) ? PLD_OK
                                                         : pld_json_mismatch(child, "an object { … }", error);
}

pld_status pld_json_array(const pld_json *at, const char *field, pld_json_need need, pld_json *child,
                          pld_error *error) {
    PLD_TRY(pld_json_field(at, field, need, child, error));
    return !child->value || json_is_array(child->value) ? PLD_OK
                                                        : pld_json_mismatch(child, "a list [ … ]", error);
}

/** The whole number at a place. */
static pld_status read_integer(const pld_json *at, int64_t min, int64_t max, int64_t *value,
                               pld_error *error) {
    if (json_is_integer(at->value)) {
        int64_t number = json_integer_value(at->value);
        if (number >= min && number <= max) {
            *value = number;
            return PLD_OK;
        }
    }
    char expected[96];
    if (min == max) {
        snprintf(expected, sizeof expected, "%" PRId64, min);
    } else if (min == INT64_MIN && max == INT64_MAX) {
        snprintf(expected, sizeof expected, "a whole number");
    } else {
        snprintf(expected, sizeof expected, "a whole number from %" PRId64 " to %" PRId64, min, max);
    }
    return pld_json_mismatch(at, expected, error);
}

/** The finite number at a place, or with `infinity` also one of the strings that stand for it. */
static pld_status read_number(const pld_json *at, bool infinity, double *value, pld_error *error) {
    if (json_is_number(at->value) && isfinite(json_number_value(at->value))) {
        *value = json_number_value(at->value);
        return PLD_OK;
    }
    const char *text = infinity ? json_string_value(at->value) : NULL;
    if (text && (strcmp(text, "inf") == 0 || strcmp(text, "-inf") == 0)) {
        *value = text[0] == '-' ? -INFINITY : INFINITY;
        return PLD_OK;
    }
    return pld_json_mismatch(at, infinity ? "a number, \"inf\" or \"-inf\"" : "a number", error);
}

static pld_status read_string(const pld_json *at, const char **value, pld_error *error) {
    const char *text = json_string_value(at->value);
    if (!text) {
        return pld_json_mismatch(at, "a string", error);
    }
    *value = text;
    return PLD_OK;
}

static pld_status read_bool(const pld_json *at, bool *value, pld_error *error) {
    if (!json_is_boolean(at->value)) {
        return pld_json_mismatch(at, "true or false", error);
    }
    *value = json_is_true(at->value);
    return PLD_OK;
}

pld_status pld_json_get_string(const pld_json *at, const char *field, pld_json_need need, const char **value,
                               pld_error *error) {
    pld_json child;
    PLD_TRY(pld_json_field(at, field, need, &child, error));
    return child.value ? read_string(&child, value, error) : PLD_OK;
}

pld_status pld_json_get_integer(const pld_json *at, const char *field, pld_json_need need, int64_t min,
                                int64_t max, int64_t *value, pld_error *error) {
    pld_json child;
    PLD_TRY(pld_json_field(at, field, need, &child, error));
    return child.value ? read_integer(&child, min, max, value, error) : PLD_OK;
}

pld_status pld_json_get_integer_fields(const pld_json *at, const pld_json_integer_field *rows, size_t count,
                                       pld_error *error) {
    for (size_t i = 0; i < count; i++) {
        PLD_TRY(pld_json_get_integer(at, rows[i].field, rows[i].need, rows[i].min, rows[i].max, rows[i].value,
                                     error));
    }
    return PLD_OK;
}

pld_status pld_json_get_number(const pld_json *at, const char *field, pld_json_need need, double *value,
                               pld_error *error) {
    pld_json child;
    PLD_TRY(pld_json_field(at, field, need, &child, error));
    return child.value ? read_number(&child, false, value, error) : PLD_OK;
}

pld_status pld_json_get_number_or_infinity(const pld_json *at, const char *field, pld_json_need need,
                                           double *value, pld_error *error) {
    pld_json child;
    PLD_TRY(pld_json_field(at, field, need, &child, error));
    return child.value ? read_number(&child, true, value, error) : PLD_OK;
}

pld_status pld_json_get_bool(const pld_json *at, const char *field, pld_json_need need, bool *value,
                             pld_error *error) {
    pld_json child;
    PLD_TRY(pld_json_field(at, field, need, &child, error));
    return child.value ? read_bool(&child, value, error) : PLD_OK;
}

pld_status pld_json_get_flag(const pld_json *at, const char *field, bool *value, pld_error *error) {
    *value = *value && !pld_json_is_null(at, field);
    return pld_json_get_bool(at, field, PLD_JSON_NULLABLE, value, error);
}

/** What one element of a list must be, and where element 0 of the output lies. */
typedef struct element_reader {
    enum { READ_INTEGER, READ_NUMBER, READ_STRING, READ_BOOL } kind;
    int64_t min, max; /* of READ_INTEGER */
    void *values;
} element_reader;

static pld_status read_element(const element_reader *reader, const pld_json *at, size_t index,
                               pld_error *error) {
    switch (reader->kind) {
    case READ_INTEGER:
        return read_integer(at, reader->min, reader->max, (int64_t *)reader->values + index, error);
    case READ_NUMBER:
        return read_number(at, false, (double *)reader->values + index, error);
    case READ_STRING:
        return read_string(at, (const char **)reader->values + index, error);
    case READ_BOOL:
        return read_bool(at, (bool *)reader->values + index, error);
    }
    return PLD_ERROR_INTERNAL;
}

/** `count` values from a list of exactly that many, or from one value that stands for all. */
static pld_status get_one_or_list(const pld_json *at, const char *field, pld_json_need need,
                                  const element_reader *reader, size_t count, pld_error *error) {
    pld_json child;
    PLD_TRY(pld_json_field(at, field, need, &child, error));
    if (!child.value) {
        return PLD_OK;
    }
    bool list = json_is_array(child.value);
    if (list && json_array_size(child.value) != count) {
        char expected[48];
        snprintf(expected, sizeof expected, "a list of %zu", count);
        return pld_json_mismatch(&child, expected, error);
    }
    for (size_t i = 0; i < count; i++) {
        pld_json element = child;
        if (list) {
            pld_json_element(&child, i, &element);
        }
        PLD_TRY(read_element(reader, &element, i, error));
    }
    return PLD_OK;
}

pld_status pld_json_get_integer_or_list(const pld_json *at, const char *field, pld_json_need need,
                                        int64_t min, int64_t max, size_t count, int64_t *values,
                                        pld_error *error) {
    element_reader reader = {.kind = READ_INTEGER, .min = min, .max = max, .values = values};
    return get_one_or_list(at, field, need, &reader, count, error);
}

pld_status pld_json_get_bool_or_list(const pld_json *at, const char *field, pld_json_need need, size_t count,
                                     bool *values, pld_error *error) {
    element_reader reader = {.kind = READ_BOOL, .values = values};
    return get_one_or_list(at, field, need, &reader, count, error);
}

/** A list of at most `capacity` values. */
static pld_status get_list(const pld_json *at, const char *field, pld_json_need need,
                           const element_reader *reader, size_t capacity, size_t *count, pld_error *error) {
    pld_json child;
    PLD_TRY(pld_json_array(at, field, need, &child, error));
    if (!child.value) {
        return PLD_OK;
    }
    size_t size = json_array_size(child.value);
    if (size > capacity) {
        char expected[48];
        snprintf(expected, sizeof expected, "a list of at most %zu", capacity);
        return pld_json_mismatch(&child, expected, error);
    }
    for (size_t i = 0; i < size; i++) {
        pld_json element;
        pld_json_element(&child, i, &element);
        PLD_TRY(read_element(reader, &element, i, error));
    }
    *count = size;
    return PLD_OK;
}

pld_status pld_json_get_integers(const pld_json *at, const char *field, pld_json_need need, int64_t min,
                                 int64_t max, size_t capacity, int64_t *values, size_t *count,
                                 pld_error *error) {
    element_reader reader = {.kind = READ_INTEGER, .min = min, .max = max, .values = values};
    return get_list(at, field, need, &reader, capacity, count, error);
}

pld_status pld_json_get_numbers(const pld_json *at, const char *field, pld_json_need need, size_t capacity,
                                double *values, size_t *count, pld_error *error) {
    element_reader reader = {.kind = READ_NUMBER, .values = values};
    return get_list(at, field, need, &reader, capacity, count, error);
}

pld_status pld_json_get_strings(const pld_json *at, const char *field, pld_json_need need, size_t capacity,
                                const char **values, size_t *count, pld_error *error) {
    element_reader reader = {.kind = READ_STRING, .values = values};
    return get_list(at, field, need, &reader, capacity, count, error);
}

pld_status pld_json_read_file(const char *file, pld_json_reader read, void *target, pld_error *error) {
    json_t *document = NULL;
    pld_json top;
    PLD_TRY(pld_json_load(file, 0, &document, error));
    pld_status status = pld_json_top(document, file, &top, error);
    if (status == PLD_OK) {
        status = read(target, &top, error);
    }
    json_decref(document);
    return status;
}
