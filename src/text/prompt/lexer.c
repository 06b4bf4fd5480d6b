/* SPDX-License-Identifier: Apache-2.0 */
#include "text/prompt/lexer.h"

#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

#include "core/utf8.h"
#include "text/prompt/number.h"

static const char break_word[] = "BREAK";
enum { BREAK_LENGTH = sizeof break_word - 1 };

/** White space as Python's re module has it, which A1111's syntax is written for. */
static bool is_space(int32_t c) {
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
           c == 0x3000;
}

/** A letter, number or underscore: BREAK beside one of them is part of a longer word. */
static bool is_word(int32_t c) {
    utf8proc_category_t category = c < 0 ? UTF8PROC_CATEGORY_CN : utf8proc_category(c);
    return c == '_' || (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
           (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

/** The code point that ends before `at` > 0; `*begin` is where it begins. */
static int32_t code_point_before(const char *text, size_t at, size_t *begin) {
    size_t start = at - 1;
    while (start > 0 && at - start < 4 && ((unsigned char)text[start] & 0xC0u) == 0x80u) {
        start--;
    }
    int32_t c = -1;
    pld_utf8_decode(text + start, at - start, &c);
    *begin = start;
    return c;
}

/** First place at or after `at` that is not white space. */
static size_t skip_spaces(const char *text, size_t length, size_t at) {
    while (at < length) {
        int32_t c = 0;
        size_t step = pld_utf8_decode(text + at, length - at, &c);
        if (!is_space(c)) {
            break;
        }
        at += step;
    }
    return at;
}

/** Read ":  number  )" at the colon. A number that is none leaves the colon a plain character. */
static bool read_weight(const char *text, size_t length, size_t at, pld_prompt_token *token) {
    size_t place = skip_spaces(text, length, at + 1);
    size_t digits = pld_prompt_number_length(text + place, length - place);
    size_t end = skip_spaces(text, length, place + digits);
    if (digits == 0 || end >= length || text[end] != ')' ||
        !pld_prompt_read_number(text + place, digits, &token->weight)) {
        return false;
    }
    token->kind = PLD_PROMPT_WEIGHT;
    token->length = end + 1 - at;
    return true;
}

pld_prompt_token pld_prompt_next_token(const char *text, size_t length, size_t at) {
    pld_prompt_token token = {.kind = PLD_PROMPT_TEXT, .begin = at, .length = 1};
    switch (text[at]) {
    case '\\':
        token.kind = PLD_PROMPT_ESCAPE;
        token.length += at + 1 < length && text[at + 1] != 0 && strchr("()[]\\", text[at + 1]);
        break;
    case '(':
        token.kind = PLD_PROMPT_ROUND_OPEN;
        break;
    case ')':
        token.kind = PLD_PROMPT_ROUND_CLOSE;
        break;
    case '[':
        token.kind = PLD_PROMPT_SQUARE_OPEN;
        break;
    case ']':
        token.kind = PLD_PROMPT_SQUARE_CLOSE;
        break;
    case ':':
        (void)read_weight(text, length, at, &token);
        break;
    default:
        while (at + token.length < length &&
               (text[at + token.length] == 0 || !strchr("\\()[]:", text[at + token.length]))) {
            token.length++;
        }
        break;
    }
    return token;
}

bool pld_prompt_find_break(const char *text, size_t length, size_t *before, size_t *after) {
    for (size_t at = 0; at + BREAK_LENGTH <= length; at++) {
        size_t begin = 0;
        if (text[at] != break_word[0] || memcmp(text + at, break_word, BREAK_LENGTH) != 0) {
            continue;
        }
        if (at > 0 && is_word(code_point_before(text, at, &begin))) {
            continue;
        }
        size_t end = at + BREAK_LENGTH;
        int32_t next = -1;
        if (end < length) {
            pld_utf8_decode(text + end, length - end, &next);
        }
        if (is_word(next)) {
            continue;
        }
        *after = skip_spaces(text, length, end);
        for (*before = at; *before > 0 && is_space(code_point_before(text, *before, &begin));) {
            *before = begin;
        }
        return true;
    }
    return false;
}
