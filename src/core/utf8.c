/* SPDX-License-Identifier: Apache-2.0 */
#include "core/utf8.h"

#include <string.h>

#include "core/memory.h"

enum { REPLACEMENT = 0xFFFD };

size_t pld_utf8_decode(const char *text, size_t length, int32_t *code_point) {
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned first = bytes[0];
    *code_point = (int32_t)first;
    if (first < 0x80) {
        return 1;
    }
    *code_point = -1;
    if (first < 0xC2 || first > 0xF4) {
        return 1;
    }
    size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    /* The second byte's range keeps out overlong forms, surrogates and values beyond U+10FFFF. */
    unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    uint32_t value = first & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++) {
        if (i >= length || bytes[i] < low || bytes[i] > high) {
            return i;
        }
        value = value << 6 | (bytes[i] & 0x3Fu);
        low = 0x80;
        high = 0xBF;
    }
    *code_point = (int32_t)value;
    return size;
}

size_t pld_utf8_cut(const char *text, size_t length, size_t most) {
    if (length <= most) {
        return length;
    }
    while (most > 0 && ((unsigned char)text[most] & 0xC0u) == 0x80u) {
        most--;
    }
    return most;
}

size_t pld_utf8_encode(int32_t code_point, char *text) {
    uint32_t value = (uint32_t)code_point;
    if (value < 0x80) {
        text[0] = (char)value;
        return 1;
    }
    size_t size = value < 0x800 ? 2 : value < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = size - 1; i > 0; i--) {
        text[i] = (char)(0x80u | (value & 0x3Fu));
        value >>= 6;
    }
    text[0] = (char)(lead[size] | value);
    return size;
}

char *pld_utf8_clean(const char *text, size_t length, size_t *clean_length) {
    size_t bytes = 0;
    /* The worst case is one bad byte that becomes the three bytes of U+FFFD. */
    if (!pld_multiply(length, 3, &bytes) || !pld_add(bytes, 1, &bytes)) {
        return NULL;
    }
    char *clean = pld_allocate(bytes, 1);
    if (!clean) {
        return NULL;
    }
    size_t count = 0;
    for (size_t i = 0; i < length;) {
        int32_t code_point = 0;
        i += pld_utf8_decode(text + i, length - i, &code_point);
        count += pld_utf8_encode(code_point < 0 ? REPLACEMENT : code_point, clean + count);
    }
    *clean_length = count;
    return clean;
}

bool pld_is_utf8(const char *text) {
    size_t rest = strlen(text);
    int32_t code_point = 0;
    while (rest > 0 && code_point >= 0) {
        const size_t used = pld_utf8_decode(text, rest, &code_point);
        text += used;
        rest -= used;
    }
    return code_point >= 0;
}
