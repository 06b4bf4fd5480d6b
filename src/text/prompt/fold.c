/* SPDX-License-Identifier: Apache-2.0 */
#include "text/prompt/fold.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

#include "core/memory.h"
#include "core/utf8.h"
#include "text/unicode/characters.h"

enum { CAPITAL_SIGMA = 0x3A3, SMALL_SIGMA = 0x3C3, FINAL_SIGMA = 0x3C2, DOTTED_I = 0x130, DOT_ABOVE = 0x307 };

/** Code points that the test of a final sigma looks through, by their class of words (MidLetter, MidNumLet, a quote). */
static const int32_t inside_words[] = {0x27,   0x2E,   0x3A,   0xB7,   0x387,  0x55F,  0x5F4,  0x2018, 0x2019,
                                       0x2024, 0x2027, 0xFE13, 0xFE52, 0xFE55, 0xFF07, 0xFF0E, 0xFF1A};

/** Unicode's Case_Ignorable. */
static bool is_ignored(int32_t c) {
    for (size_t i = 0; i < sizeof inside_words / sizeof *inside_words; i++) {
        if (inside_words[i] == c) {
            return true;
        }
    }
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
        return true;
    default:
        return false;
    }
}

/** Unicode's Cased, as far as categories tell. */
static bool is_cased(int32_t c) {
    const utf8proc_category_t category = utf8proc_category(c);
    return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
           category == UTF8PROC_CATEGORY_LT || utf8proc_tolower(c) != c || utf8proc_toupper(c) != c;
}

/** Whether the first code point of points[at], points[at + step] … that counts is a cased letter. */
static bool meets_cased(const int32_t *points, size_t count, size_t at, size_t step) {
    while (at < count && is_ignored(points[at])) {
        at += step; /* below 0 it is beyond count, too */
    }
    return at < count && is_cased(points[at]);
}

static bool ends_word(const int32_t *points, size_t count, size_t at) {
    return meets_cased(points, count, at - 1, SIZE_MAX) && !meets_cased(points, count, at + 1, 1);
}

/** Python's str.isspace. */
static bool is_space(int32_t c) {
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
           c == 0x3000;
}

/** Code points of a text; −1, which stands for bytes that are no character, becomes U+FFFD. */
static size_t read_points(const char *text, size_t length, int32_t *points) {
    size_t count = 0;
    for (size_t at = 0; at < length; count++) {
        at += pld_utf8_decode(text + at, length - at, &points[count]);
        points[count] = points[count] < 0 ? 0xFFFD : points[count];
    }
    return count;
}

/** Small letters of points[begin … end) as UTF-8; the bytes. */
static size_t write_small(const int32_t *points, size_t count, size_t begin, size_t end, char *text) {
    size_t size = 0;
    for (size_t i = begin; i < end; i++) {
        const int32_t c = points[i];
        if (c == DOTTED_I) {
            text[size++] = 'i';
            size += pld_utf8_encode(DOT_ABOVE, text + size);
        } else if (c == CAPITAL_SIGMA) {
            size += pld_utf8_encode(ends_word(points, count, i) ? FINAL_SIGMA : SMALL_SIGMA, text + size);
        } else {
            size += pld_utf8_encode(pld_clip_lower(c), text + size);
        }
    }
    return size;
}

pld_status pld_prompt_fold(const char *text, size_t length, char **folded, size_t *folded_length,
                           pld_error *error) {
    int32_t *points = pld_allocate(length + 1, sizeof *points);
    *folded = pld_allocate(length + 1, 4); /* at most 4 bytes for a byte, and the NUL */
    if (!points || !*folded) {
        pld_free(points);
        pld_free(*folded);
        *folded = NULL;
        return pld_fail_memory(error, length, "prompt");
    }
    const size_t count = read_points(text, length, points);
    size_t begin = 0, end = count;
    while (begin < end && is_space(points[begin])) {
        begin++;
    }
    while (begin < end && is_space(points[end - 1])) {
        end--;
    }
    *folded_length = write_small(points, count, begin, end, *folded);
    (*folded)[*folded_length] = '\0';
    pld_free(points);
    return PLD_OK;
}
