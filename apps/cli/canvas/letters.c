/* SPDX-License-Identifier: Apache-2.0 */
#include "canvas/letters.h"

#include <utf8proc.h>

enum { MOST_PARTS = 16, NO_BREAK_SPACE = 0xa0, REPLACEMENT = 0xfffd };

static bool is_mark(uint32_t character) {
    const utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)character);
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME;
}

/** What takes no room and has no drawing: controls, joiners, selectors of pictures, directions. */
static bool is_silent(uint32_t character) {
    const utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)character);
    return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF;
}

static bool is_blank(uint32_t character) {
    const utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)character);
    return character == '\t' || character == '\n' || character == '\r' ||
           ((category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
             category == UTF8PROC_CATEGORY_ZP) &&
            character != NO_BREAK_SPACE);
}

/** A letter of decomposed or composed parts: the first that is no mark, and the marks behind it. */
static text_letter make_letter(const typeface *face, const utf8proc_int32_t *parts, utf8proc_ssize_t count) {
    text_letter letter = {.base = 0};
    for (utf8proc_ssize_t i = 0; i < count; i++) {
        const uint32_t part = (uint32_t)parts[i];
        if (is_mark(part)) {
            if (letter.mark_count < TEXT_MOST_MARKS && typeface_has(face, part)) {
                letter.marks[letter.mark_count++] = part;
            }
        } else if (letter.base == 0 && !is_silent(part)) {
            letter.base = part;
        }
    }
    return letter;
}

/** The letter that `length` bytes of valid UTF-8, one grapheme, stand for. No letter: base 0 and no mark. */
static text_letter read_letter(const typeface *face, const utf8proc_uint8_t *bytes, utf8proc_ssize_t length) {
    utf8proc_int32_t apart[MOST_PARTS], composed[MOST_PARTS];
    utf8proc_ssize_t count =
        utf8proc_decompose(bytes, length, apart, MOST_PARTS, UTF8PROC_STABLE | UTF8PROC_DECOMPOSE);
    count = count < 0 ? 0 : count > MOST_PARTS ? MOST_PARTS : count;
    for (utf8proc_ssize_t i = 0; i < count; i++) {
        composed[i] = apart[i];
    }
    const utf8proc_ssize_t composed_count =
        utf8proc_normalize_utf32(composed, count, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    text_letter letter = make_letter(face, composed, composed_count);
    if (letter.base != 0 && !typeface_has(face, letter.base)) {
        const text_letter taken_apart = make_letter(face, apart, count);
        letter = typeface_has(face, taken_apart.base) ? taken_apart : letter;
    }
    if (letter.base == 0 && letter.mark_count > 0) { /* marks without a letter */
        letter.base = NO_BREAK_SPACE;
    }
    return letter;
}

/** Whether a grapheme takes the place of two columns: an ideograph, an emoji, a flag's pair of letters. */
static bool is_wide(const utf8proc_uint8_t *bytes, utf8proc_ssize_t length) {
    int flags = 0;
    for (utf8proc_ssize_t at = 0; at < length;) {
        utf8proc_int32_t character = 0;
        const utf8proc_ssize_t step = utf8proc_iterate(bytes + at, length - at, &character);
        if (step <= 0 || utf8proc_charwidth(character) == 2) {
            return step > 0;
        }
        flags += utf8proc_get_property(character)->boundclass == UTF8PROC_BOUNDCLASS_REGIONAL_INDICATOR;
        at += step;
    }
    return flags == 2;
}

/** Bytes of the grapheme at `at`; 0 where it begins with none that is UTF-8. */
static utf8proc_ssize_t grapheme_length(const utf8proc_uint8_t *at) {
    utf8proc_int32_t character = 0, next = 0, state = 0;
    utf8proc_ssize_t length = utf8proc_iterate(at, -1, &character);
    if (length <= 0) {
        return 0;
    }
    for (;;) {
        const utf8proc_ssize_t more = at[length] != 0 ? utf8proc_iterate(at + length, -1, &next) : 0;
        if (more <= 0 || utf8proc_grapheme_break_stateful(character, next, &state)) {
            return length;
        }
        character = next;
        length += more;
    }
}

bool letters_read(const typeface *face, const char *utf8, text_block *block) {
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)utf8;
    block->count = 0;
    while (*at != 0) {
        const utf8proc_ssize_t length = grapheme_length(at);
        utf8proc_int32_t first = REPLACEMENT;
        text_letter letter = {.base = REPLACEMENT};
        if (length > 0) {
            utf8proc_iterate(at, -1, &first);
            letter = is_blank((uint32_t)first) ? (text_letter){.base = ' ', .blank = true}
                                               : read_letter(face, at, length);
        }
        if (letter.base != 0 && block->count == TEXT_MOST_LETTERS) {
            return false;
        }
        letter.wide = length > 0 && is_wide(at, length);
        if (letter.base != 0) {
            block->letters[block->count++] = letter;
        }
        at += length > 0 ? length : 1;
    }
    return true;
}
