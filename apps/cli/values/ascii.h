/* SPDX-License-Identifier: Apache-2.0 */
/** Letters, digits and blanks of ASCII, whatever the locale; every other byte is none of them. */
#ifndef PLADIS_CLI_VALUES_ASCII_H
#define PLADIS_CLI_VALUES_ASCII_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/** The small letter of a capital; every other byte is itself. */
static inline char ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline bool ascii_is_alphanumeric(char c) {
    return (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || (c >= '0' && c <= '9');
}

/** Space, tab, line feed, vertical tab, form feed, carriage return. */
static inline bool ascii_is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/** `text` has the `length` bytes of `other`, but for capitals. */
static inline bool ascii_same(const char *text, const char *other, size_t length) {
    size_t i = 0;
    while (i < length && text[i] != '\0' && ascii_lower(text[i]) == ascii_lower(other[i])) {
        i++;
    }
    return i == length;
}

/** Equal but for capitals. */
static inline bool ascii_equal(const char *a, const char *b) {
    const size_t length = strlen(a);
    return strlen(b) == length && ascii_same(a, b, length);
}

#endif
