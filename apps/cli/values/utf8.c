/* SPDX-License-Identifier: Apache-2.0 */
#include "values/utf8.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

char *utf8_repaired(const char *text) {
    static const char replacement[] = "\xef\xbf\xbd";
    size_t rest = strlen(text), used = 0;
    char *repaired = malloc(rest * (sizeof replacement - 1) + 1);
    while (repaired != NULL && rest > 0) {
        utf8proc_int32_t character = 0;
        utf8proc_ssize_t length =
            utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)rest, &character);
        size_t taken = length > 0 ? (size_t)length : 1, written = length > 0 ? taken : sizeof replacement - 1;
        memcpy(repaired + used, length > 0 ? text : replacement, written);
        used += written;
        text += taken;
        rest -= taken;
    }
    if (repaired != NULL) {
        repaired[used] = '\0';
    }
    return repaired;
}

bool utf8_is_whole(const char *text) {
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
    utf8proc_int32_t character = 0;
    utf8proc_ssize_t length = 1;
    while (*at != '\0' && (length = utf8proc_iterate(at, -1, &character)) > 0) {
        at += length;
    }
    return length > 0;
}
