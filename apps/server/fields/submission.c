/* SPDX-License-Identifier: Apache-2.0 */
#include "fields/submission.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const json_t *submission_field(const submission *read, const char *name) {
    const json_t *value = json_object_get(read->fields, name);
    return json_is_null(value) ? NULL : value;
}

bool submission_text(const submission *read, const char *name, const char **text) {
    const json_t *value = submission_field(read, name);
    *text = json_string_value(value);
    return value == NULL || *text != NULL;
}

bool submission_integer(const submission *read, const char *name, int64_t *number) {
    const json_t *value = submission_field(read, name);
    char *end = NULL;
    if (json_is_integer(value)) {
        *number = json_integer_value(value);
    } else if (json_is_real(value) && fabs(json_real_value(value)) < 1e15 &&
               json_real_value(value) == trunc(json_real_value(value))) {
        *number = (int64_t)json_real_value(value);
    } else if (json_is_string(value) && json_string_length(value) > 0 && json_string_length(value) < 16) {
        *number = strtoll(json_string_value(value), &end, 10);
    }
    return value == NULL || json_is_integer(value) ||
           (json_is_real(value) && (double)*number == json_real_value(value)) ||
           (end != NULL && *end == '\0');
}

bool submission_flag(const submission *read, const char *name) {
    const json_t *value = submission_field(read, name);
    const char *text = json_string_value(value);
    return json_is_true(value) || (text != NULL && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0));
}
