/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <pladis/pladis.h>

void reply_put(reply_builder *builder, json_t *object, const char *key, json_t *value) {
    if (json_object_set_new(object, key, value) != 0) {
        builder->failed = true;
    }
}

void reply_append(reply_builder *builder, json_t *list, json_t *value) {
    if (json_array_append_new(list, value) != 0) {
        builder->failed = true;
    }
}

json_t *reply_text(const char *text) {
    char *repaired = NULL;
    if (text == NULL) {
        return json_null();
    }
    if (pld_utf8_repair(text, strlen(text), &repaired, NULL, NULL) != PLD_OK) {
        return NULL;
    }
    json_t *value = json_string(repaired);
    pld_string_free(&repaired);
    return value;
}

json_t *reply_number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *reply_finish(reply_builder *builder, json_t *document) {
    if (builder->failed) {
        json_decref(document);
        return NULL;
    }
    return document;
}

char *reply_print(const json_t *document) {
    return document != NULL ? json_dumps(document, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(12))
                            : NULL;
}

json_t *request_json(const char *text, size_t size, char *why, size_t why_size) {
    json_error_t problem;
    json_t *document = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    if (document == NULL) {
        pld_make_printable(problem.text);
        snprintf(why, why_size, "not JSON: line %d, column %d: %.120s", problem.line, problem.column,
                 problem.text);
    }
    return document;
}
