/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text_buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Room for `more` bytes and a zero byte behind them. */
static bool grow(text_buffer *buffer, size_t more) {
    enum { LEAST = 256 };
    if (buffer->incomplete || more > SIZE_MAX / 4 || buffer->length > SIZE_MAX / 4) {
        buffer->incomplete = true;
        return false;
    }
    const size_t needed = buffer->length + more + 1;
    if (buffer->text != NULL && needed <= buffer->room) {
        return true;
    }
    size_t room = buffer->room > 0 ? buffer->room : LEAST;
    while (room < needed) {
        room *= 2;
    }
    char *text = realloc(buffer->text, room);
    if (text == NULL) {
        buffer->incomplete = true;
        return false;
    }
    buffer->text = text;
    buffer->room = room;
    return true;
}

void text_add_bytes(text_buffer *buffer, const void *bytes, size_t size) {
    if (!grow(buffer, size)) {
        return;
    }
    if (size > 0) {
        memcpy(buffer->text + buffer->length, bytes, size);
    }
    buffer->length += size;
    buffer->text[buffer->length] = '\0';
}

void text_add(text_buffer *buffer, const char *text) {
    text_add_bytes(buffer, text, strlen(text));
}

void text_add_printed(text_buffer *buffer, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0) {
        buffer->incomplete = true;
    } else if (grow(buffer, (size_t)length)) {
        vsnprintf(buffer->text + buffer->length, (size_t)length + 1, format, again);
        buffer->length += (size_t)length;
    }
    va_end(again);
    va_end(arguments);
}

char *text_take(text_buffer *buffer) {
    if (buffer->text == NULL && !buffer->incomplete) {
        text_add(buffer, "");
    }
    char *text = buffer->incomplete ? NULL : buffer->text;
    if (text == NULL) {
        free(buffer->text);
    }
    *buffer = (text_buffer){0};
    return text;
}

void text_free(text_buffer *buffer) {
    free(buffer->text);
    *buffer = (text_buffer){0};
}
