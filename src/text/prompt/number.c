/* SPDX-License-Identifier: Apache-2.0 */
#include "text/prompt/number.h"

#include <stdint.h>
#include <stdio.h>
#include <utf8proc.h>

#include "core/text.h"
#include "core/utf8.h"

/* More significant digits than any double needs to be rounded correctly; further ones can only break a tie.
 */
enum { MOST_DIGITS = 800 };

/** The value of a decimal digit of any script, or −1. Unicode lays the digits of a script side by side, 0 to
 * 9, and such runs follow each other without a gap only in whole tens. */
static int digit_value(int32_t c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c < 0x80 || utf8proc_category(c) != UTF8PROC_CATEGORY_ND) {
        return -1;
    }
    int32_t first = c;
    while (utf8proc_category(first - 1) == UTF8PROC_CATEGORY_ND) {
        first--;
    }
    return (int)((c - first) % 10);
}

size_t pld_prompt_number_length(const char *text, size_t length) {
    size_t sign = length > 0 && (text[0] == '+' || text[0] == '-');
    size_t at = sign;
    while (at < length) {
        int32_t c = 0;
        size_t step = pld_utf8_decode(text + at, length - at, &c);
        if (c != '.' && digit_value(c) < 0) {
            break;
        }
        at += step;
    }
    return at > sign ? at : 0;
}

bool pld_prompt_read_number(const char *text, size_t length, double *value) {
    /* digits and a decimal exponent, of any script and without a point */
    char digits[MOST_DIGITS + 32];
    size_t count = 0;
    long long exponent = 0;
    bool any = false;
    bool dot = false;
    bool negative = length > 0 && text[0] == '-';
    for (size_t at = negative || (length > 0 && text[0] == '+'); at < length;) {
        int32_t c = 0;
        at += pld_utf8_decode(text + at, length - at, &c);
        if (c == '.') {
            if (dot) {
                return false;
            }
            dot = true;
            continue;
        }
        int digit = digit_value(c);
        any = true;
        exponent -= dot;
        if (count == MOST_DIGITS) {
            exponent++;
        } else if (count > 0 || digit > 0) {
            digits[count++] = (char)('0' + digit);
        }
    }
    if (!any) {
        return false;
    }
    snprintf(digits + count, sizeof digits - count, "%se%lld", count == 0 ? "0" : "", exponent);
    *value = pld_parse_real(digits, NULL);
    *value = negative ? -*value : *value;
    return true;
}
