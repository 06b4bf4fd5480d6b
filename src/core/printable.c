/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

#include "pladis/status.h"

/** Characters that a terminal takes as a command, that end a line, or that turn the direction of the letters
 * around them, so that a name reads as another one. */
static bool steers(utf8proc_int32_t c) {
    return utf8proc_category(c) == UTF8PROC_CATEGORY_CC || c == 0x2028 || c == 0x2029 ||
           (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

void pld_make_printable(char *text) {
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
    utf8proc_ssize_t rest = (utf8proc_ssize_t)strlen(text);
    char *out = text;
    while (rest > 0) {
        utf8proc_int32_t character = 0;
        utf8proc_ssize_t length = utf8proc_iterate(at, rest, &character);
        if (length < 1 || steers(character)) {
            *out++ = character == '\t' || character == '\n' || character == '\r' ? ' ' : '?';
            length = length < 1 ? 1 : length;
        } else {
            memmove(out, at, (size_t)length);
            out += length;
        }
        at += length;
        rest -= length;
    }
    *out = '\0';
}
