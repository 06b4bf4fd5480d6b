/* SPDX-License-Identifier: Apache-2.0 */
/** Numbers to and from text whatever the locale of the embedding program: the point is ".", there are no
 * groups, letters and digits are those of ASCII. What is written into a file or message, or read from one,
 * goes through these functions; tests/architecture looks for others. */
#ifndef PLD_CORE_TEXT_H
#define PLD_CORE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pladis/status.h"

/** The calling thread's locale while the "C" locale is in force, for a library that reads or writes numbers
 * by itself. Other threads keep theirs. */
typedef struct pld_kept_locale {
    void *own, *previous;
} pld_kept_locale;

/** From here on the calling thread formats and reads numbers as C does; give `kept` to pld_locale_restore. */
void pld_locale_set_c(pld_kept_locale *kept);
void pld_locale_restore(pld_kept_locale *kept);

/** snprintf and vsnprintf in the "C" locale. */
int pld_print_text(char *text, size_t size, const char *format, ...) PLD_PRINTF(3, 4);
int pld_print_arguments(char *text, size_t size, const char *format, va_list arguments) PLD_PRINTF(3, 0);

/** The decimal number at the beginning of `text`; `*end` (may be NULL) is what follows, `text` itself when
 * there is none. */
double pld_parse_real(const char *text, const char **end);

/** Decimal digits at the beginning of `text`, without sign or blanks. False: there is none, or the number
 * exceeds `most`. `*end` (may be NULL) is what follows. */
bool pld_parse_natural(const char *text, uint64_t most, uint64_t *value, const char **end);

static inline bool pld_is_digit(char c) {
    return c >= '0' && c <= '9';
}

static inline bool pld_is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

static inline bool pld_is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

/** The small letter of a capital of ASCII; every other byte is itself. */
static inline char pld_lower(char c) {
    if (!pld_is_upper(c)) {
        return c;
    }
    return (char)(c - 'A' + 'a');
}

/** Equal but for capitals of ASCII. */
bool pld_equal_ignoring_case(const char *a, const char *b);

/** Whether a text has the word, which is lower-case, in any case; NULL has none. */
bool pld_has_word(const char *text, const char *word);

#endif
