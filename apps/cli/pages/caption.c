/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/caption.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "terminal/message.h"

static bool make_room(captions *c) {
    if (c->count < c->room) {
        return true;
    }
    const size_t room = c->room > 0 ? 2 * c->room : 16;
    char **larger = realloc(c->items, room * sizeof *larger);
    if (larger != NULL) {
        c->items = larger;
        c->room = room;
    }
    return larger != NULL;
}

const char *captions_add(captions *c, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    char *text = length >= 0 && make_room(c) ? malloc((size_t)length + 1) : NULL;
    if (text != NULL) {
        vsnprintf(text, (size_t)length + 1, format, again);
        c->items[c->count++] = text;
    }
    va_end(again);
    va_end(arguments);
    c->failed = c->failed || text == NULL;
    return text != NULL ? text : "";
}

bool captions_failed(const captions *c, const char *what) {
    if (c->failed) {
        message_failure("out of memory for the labels of %s", what);
    }
    return c->failed;
}

void captions_free(captions *c) {
    for (size_t i = 0; i < c->count; i++) {
        free(c->items[i]);
    }
    free(c->items);
    *c = (captions){0};
}
