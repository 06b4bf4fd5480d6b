/* SPDX-License-Identifier: Apache-2.0 */
#include "io/json.h"

#include <stdbool.h>
#include <string.h>

#include "core/memory.h"
#include "io/text_file.h"

/** Where a scan of the raw text stands. */
typedef struct scan {
    const char *name;
    size_t line;
    size_t depth;
    size_t values; /* an upper bound: every comma and every bracket begins at most one */
    size_t most_values;
    bool in_string;
} scan;

/** Count one byte that lies outside strings; `rest` bytes follow `text`. */
static pld_status scan_structure(scan *at, const char *text, size_t rest, pld_error *error) {
    switch (*text) {
    case '[':
    case '{':
        at->depth++;
        at->values++;
        break;
    case ']':
    case '}':
        at->depth -= at->depth > 0;
        break;
    case ',':
        at->values++;
        break;
    case 'N':
    case 'I':
        if ((rest >= 3 && memcmp(text, "NaN", 3) == 0) || (rest >= 8 && memcmp(text, "Infinity", 8) == 0)) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: line %zu: found %s, which JSON does not have; write a finite number",
                            at->name, at->line, *text == 'N' ? "NaN" : "Infinity");
        }
        break;
    default:
        break;
    }
    if (at->depth > PLD_JSON_DEPTH) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: line %zu: expected at most %d brackets inside each other, found more; no honest "
                        "file needs that",
                        at->name, at->line, (int)PLD_JSON_DEPTH);
    }
    if (at->values > at->most_values) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: line %zu: expected at most %zu values in one document, found more", at->name,
                        at->line, at->most_values);
    }
    return PLD_OK;
}

/** Bound depth and number of values before the parser allocates anything for them. */
static pld_status check_bounds(const char *text, size_t length, size_t most_values, const char *name,
                               pld_error *error) {
    scan at = {.name = name, .line = 1, .most_values = most_values};
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        at.line += c == '\n';
        if (c == '"') {
            at.in_string = !at.in_string;
        } else if (!at.in_string) {
            PLD_TRY(scan_structure(&at, text + i, length - i, error));
        } else if (c == '\\') {
            i++; /* the escaped byte cannot end the string */
        }
    }
    return PLD_OK;
}

pld_status pld_json_parse(const char *text, size_t length, const char *name, json_t **document,
                          pld_error *error) {
    return pld_json_parse_bounded(text, length, PLD_JSON_VALUES, name, document, error);
}

pld_status pld_json_parse_bounded(const char *text, size_t length, size_t most_values, const char *name,
                                  json_t **document, pld_error *error) {
    *document = NULL;
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* byte order mark of some editors */
        text += 3;
        length -= 3;
    }
    PLD_TRY(check_bounds(text, length, most_values, name, error));
    json_error_t detail;
    *document = json_loadb(text, length, JSON_REJECT_DUPLICATES, &detail);
    if (*document) {
        return PLD_OK;
    }
    if (json_error_code(&detail) == json_error_out_of_memory) {
        return pld_fail_memory(error, length, name);
    }
    return pld_fail(error, PLD_ERROR_FORMAT, "%s: line %d, column %d: not valid JSON: %s", name, detail.line,
                    detail.column, detail.text);
}

pld_status pld_json_load(const char *path, size_t max_bytes, json_t **document, pld_error *error) {
    size_t length = 0;
    char *text = NULL;
    *document = NULL;
    PLD_TRY(pld_text_file_read(path, max_bytes ? max_bytes : PLD_JSON_FILE_BYTES, &text, &length, error));
    pld_status status = pld_json_parse(text, length, path, document, error);
    pld_free(text);
    return status;
}
