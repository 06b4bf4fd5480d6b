/* SPDX-License-Identifier: Apache-2.0 */
#include "models/fixed_fields.h"

#include <string.h>

#include "core/memory.h"
#include "io/json/build.h"

/** 1 and 1.0 are the same here. */
static bool same_value(const json_t *found, const json_t *expected) {
    if (json_is_number(found) && json_is_number(expected)) {
        return json_number_value(found) == json_number_value(expected);
    }
    return json_equal(found, expected);
}

pld_status pld_check_fixed_fields(const pld_json *top, const pld_fixed_field *fields, size_t count,
                                  pld_error *error) {
    for (size_t i = 0; i < count; i++) {
        const json_t *found = json_object_get(top->value, fields[i].field);
        if (!found || (json_is_null(found) && fields[i].or_null)) {
            continue; /* absence means diffusers' default, which is the value expected */
        }
        json_t *expected = NULL;
        PLD_TRY(pld_json_parse(fields[i].expected, strlen(fields[i].expected), fields[i].field, &expected,
                               error));
        const bool same = same_value(found, expected);
        json_decref(expected);
        if (!same) {
            char *text = pld_json_dump(found, JSON_ENCODE_ANY | JSON_COMPACT);
            pld_status status =
                pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: field '%s' is %.100s; only %s is supported",
                         top->file, fields[i].field, text ? text : "?", fields[i].expected);
            pld_free(text);
            return status;
        }
    }
    return PLD_OK;
}

pld_status pld_check_channels(const pld_json *top, int64_t in_channels, int64_t out_channels, const char *is,
                              pld_error *error) {
    return in_channels == out_channels
               ? PLD_OK
               : pld_fail(
                     error, PLD_ERROR_UNSUPPORTED,
                     "%s: fields 'in_channels' and 'out_channels' are %lld and %lld: this is %s, which is "
                     "not supported; expected equal numbers",
                     top->file, (long long)in_channels, (long long)out_channels, is);
}
