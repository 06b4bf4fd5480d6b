/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* strtod_l */
#include "text/sources/json_cursor.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/utf8.h"

enum { NUMBER_BYTES = 64 };

void pld_json_cursor_free(pld_json_cursor *cursor) {
    pld_free(cursor->scratch);
    *cursor = (pld_json_cursor){0};
}

char pld_json_cursor_peek(pld_json_cursor *cursor) {
    while (cursor->at < cursor->end &&
           (*cursor->at == ' ' || *cursor->at == '\n' || *cursor->at == '\r' || *cursor->at == '\t')) {
        cursor->at++;
    }
    if (cursor->at == cursor->end) {
        return '\0';
    }
    return *cursor->at;
}

bool pld_json_cursor_take(pld_json_cursor *cursor, char wanted) {
    if (pld_json_cursor_peek(cursor) != wanted || cursor->at == cursor->end) {
        return false;
    }
    cursor->at++;
    return true;
}

pld_status pld_json_cursor_refuse(const pld_json_cursor *cursor, const char *expected, pld_error *error) {
    size_t line = 1;
    for (const char *c = cursor->begin; c < cursor->at; c++) {
        line += *c == '\n';
    }
    const size_t rest = (size_t)(cursor->end - cursor->at);
    if (rest == 0) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: line %zu: expected %s, found the end; the file is cut short", cursor->name, line,
                        expected);
    }
    return pld_fail(error, PLD_ERROR_FORMAT, "%s: line %zu: expected %s, found '%.*s'", cursor->name, line,
                    expected, rest < 24 ? (int)rest : 24, cursor->at);
}

pld_status pld_json_cursor_expect(pld_json_cursor *cursor, char wanted, pld_error *error) {
    if (pld_json_cursor_take(cursor, wanted)) {
        return PLD_OK;
    }
    const char expected[] = {'\'', wanted, '\'', '\0'};
    return pld_json_cursor_refuse(cursor, expected, error);
}

pld_status pld_json_cursor_next(pld_json_cursor *cursor, bool first, char close, bool *more,
                                pld_error *error) {
    *more = !pld_json_cursor_take(cursor, close);
    if (!*more || first) {
        return PLD_OK;
    }
    return pld_json_cursor_expect(cursor, ',', error);
}

/** Four hexadecimal digits; −1: none. */
static int32_t read_hex(const char *at, const char *end) {
    int32_t value = 0;
    if (end - at < 4) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        const char c = at[i];
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

/** Decode the escape behind a backslash at `*at` into `out`; 0: it is none. */
static size_t read_escape(const char **at, const char *end, char *out) {
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    const char *found = *at < end && **at ? strchr(names, **at) : NULL;
    if (found) {
        *out = values[found - names];
        (*at)++;
        return 1;
    }
    if (*at == end || **at != 'u') {
        return 0;
    }
    int32_t point = read_hex(*at + 1, end);
    *at += 5;
    if (point >= 0xD800 && point < 0xDC00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u') {
        const int32_t low = read_hex(*at + 2, end);
        if (low < 0xDC00 || low >= 0xE000) {
            return 0;
        }
        point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
        *at += 6;
    }
    return point < 0 || (point >= 0xD800 && point < 0xE000) ? 0 : pld_utf8_encode(point, out);
}

/** Decode a string with escapes, which begins at cursor->at and ends at `quote`. */
static pld_status decode(pld_json_cursor *cursor, const char *quote, const char **text, size_t *length,
                         pld_error *error) {
    void *scratch = cursor->scratch;
    const char *at = cursor->at;
    if (!pld_grow(&scratch, &cursor->scratch_capacity, (size_t)(quote - at) + 1, 1)) {
        return pld_fail_memory(error, (size_t)(quote - at), cursor->name);
    }
    cursor->scratch = scratch;
    size_t used = 0;
    while (at < quote) {
        if (*at != '\\') {
            cursor->scratch[used++] = *at++;
            continue;
        }
        at++;
        const size_t written = read_escape(&at, quote, cursor->scratch + used);
        if (written == 0) {
            return pld_json_cursor_refuse(cursor, "a string with the escapes of JSON", error);
        }
        used += written;
    }
    *text = cursor->scratch;
    *length = used;
    return PLD_OK;
}

pld_status pld_json_cursor_string(pld_json_cursor *cursor, const char **text, size_t *length,
                                  pld_error *error) {
    if (!pld_json_cursor_take(cursor, '"')) {
        return pld_json_cursor_refuse(cursor, "a string", error);
    }
    const char *at = cursor->at;
    bool escapes = false;
    while (at < cursor->end && *at != '"') {
        const unsigned char c = (unsigned char)*at;
        if (c >= 0x80) {
            int32_t point = 0;
            at += pld_utf8_decode(at, (size_t)(cursor->end - at), &point);
            if (point < 0) {
                return pld_json_cursor_refuse(cursor, "a string in UTF-8", error);
            }
            continue;
        }
        if (c < 0x20) {
            return pld_json_cursor_refuse(cursor, "a string without control characters", error);
        }
        escapes = escapes || c == '\\';
        at += c == '\\' && at + 1 < cursor->end ? 2 : 1;
    }
    if (at >= cursor->end) {
        return pld_json_cursor_refuse(cursor, "a string with an end", error);
    }
    *text = cursor->at;
    *length = (size_t)(at - cursor->at);
    if (escapes) {
        PLD_TRY(decode(cursor, at, text, length, error));
    }
    cursor->at = at + 1;
    return PLD_OK;
}

pld_status pld_json_cursor_id(pld_json_cursor *cursor, int32_t *value, pld_error *error) {
    int64_t number = 0;
    (void)pld_json_cursor_peek(cursor);
    const char *at = cursor->at;
    for (; at < cursor->end && *at >= '0' && *at <= '9' && number <= INT32_MAX; at++) {
        number = number * 10 + (*at - '0');
    }
    const bool leading = at > cursor->at + 1 && *cursor->at == '0';
    const bool goes_on = at < cursor->end && (*at == '.' || *at == 'e' || *at == 'E');
    if (at == cursor->at || number > INT32_MAX || leading || goes_on) {
        return pld_json_cursor_refuse(cursor, "an id, a whole number from 0", error);
    }
    *value = (int32_t)number;
    cursor->at = at;
    return PLD_OK;
}

/** Step over digits; false: there is none. */
static bool skip_digits(const char **at, const char *end) {
    const char *begin = *at;
    while (*at < end && **at >= '0' && **at <= '9') {
        (*at)++;
    }
    return *at > begin;
}

/** The place behind the number of JSON at `at`; `at` itself: there is none. */
static const char *number_end(const char *at, const char *end) {
    const char *c = at + (at < end && *at == '-');
    if (!skip_digits(&c, end)) {
        return at;
    }
    if (c < end && *c == '.') {
        c++;
        if (!skip_digits(&c, end)) {
            return at;
        }
    }
    if (c < end && (*c == 'e' || *c == 'E')) {
        c++;
        c += c < end && (*c == '-' || *c == '+');
        if (!skip_digits(&c, end)) {
            return at;
        }
    }
    return c;
}

pld_status pld_json_cursor_number(pld_json_cursor *cursor, double *value, pld_error *error) {
    char copy[NUMBER_BYTES];
    (void)pld_json_cursor_peek(cursor);
    const size_t length = (size_t)(number_end(cursor->at, cursor->end) - cursor->at);
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* whatever comma the program's own has */
    *value = NAN;
    if (length > 0 && length < sizeof copy && c_locale) {
        memcpy(copy, cursor->at, length);
        copy[length] = '\0';
        *value = strtod_l(copy, NULL, c_locale);
    }
    if (c_locale) {
        freelocale(c_locale);
    }
    if (!isfinite(*value)) {
        return pld_json_cursor_refuse(cursor, "a number", error);
    }
    cursor->at += length;
    return PLD_OK;
}
