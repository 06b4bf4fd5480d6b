/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* newlocale */
#include "core/text.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

void pld_locale_set_c(pld_kept_locale *kept) {
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* which the C library has, nothing is allocated */
    kept->own = c;
    kept->previous = c ? uselocale(c) : NULL;
}

void pld_locale_restore(pld_kept_locale *kept) {
    if (kept->own) {
        uselocale(kept->previous);
        freelocale(kept->own);
    }
}

int pld_print_arguments(char *text, size_t size, const char *format, va_list arguments) {
    pld_kept_locale kept;
    pld_locale_set_c(&kept);
    const int length = vsnprintf(text, size, format, arguments);
    pld_locale_restore(&kept);
    return length;
}

int pld_print_text(char *text, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int length = pld_print_arguments(text, size, format, arguments);
    va_end(arguments);
    return length;
}

double pld_parse_real(const char *text, const char **end) {
    pld_kept_locale kept;
    char *rest = NULL;
    pld_locale_set_c(&kept);
    const double value = strtod(text, &rest);
    pld_locale_restore(&kept);
    if (end) {
        *end = rest;
    }
    return value;
}

bool pld_parse_natural(const char *text, uint64_t most, uint64_t *value, const char **end) {
    uint64_t number = 0;
    bool fits = pld_is_digit(*text);
    for (; pld_is_digit(*text); text++) {
        const uint64_t digit = (uint64_t)(*text - '0');
        fits = fits && number <= (UINT64_MAX - digit) / 10 && number * 10 + digit <= most;
        number = fits ? number * 10 + digit : number;
    }
    if (end) {
        *end = text;
    }
    *value = fits ? number : *value;
    return fits;
}

bool pld_equal_ignoring_case(const char *a, const char *b) {
    while (*a && pld_lower(*a) == pld_lower(*b)) {
        a++;
        b++;
    }
    return pld_lower(*a) == pld_lower(*b);
}

bool pld_has_word(const char *text, const char *word) {
    for (; text && *text; text++) {
        size_t same = 0;
        while (word[same] && pld_lower(text[same]) == word[same]) {
            same++;
        }
        if (!word[same]) {
            return true;
        }
    }
    return false;
}
