/* SPDX-License-Identifier: Apache-2.0 */
#include "text/clip/normalise.h"

#include <string.h>

#include "core/memory.h"
#include "core/utf8.h"
#include "text/unicode/characters.h"
#include "text/unicode/nfc.h"

/** White space and lower case of `count` code points, as UTF-8 into `text` (4 bytes a code point). */
static size_t write_lower(const int32_t *points, size_t count, char *text) {
    static const char dotted[] = {'i', '\xCC', '\x87'};
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        if (pld_clip_is_space(points[i])) {
            if (i == 0 || !pld_clip_is_space(points[i - 1])) {
                text[size++] = ' ';
            }
        } else if (points[i] == 0x130) { /* İ is the one letter whose lower case is two code points */
            memcpy(text + size, dotted, sizeof dotted);
            size += sizeof dotted;
        } else {
            size += pld_utf8_encode(pld_clip_lower(points[i]), text + size);
        }
    }
    return size;
}

char *pld_clip_normalise(const char *text, size_t length, size_t *normal_length) {
    size_t count = 0;
    size_t bytes = 0;
    int32_t *points = pld_nfc_points(text, length, &count);
    char *normal = NULL;
    if (points && pld_multiply(count, 4, &bytes) && pld_add(bytes, 1, &bytes)) {
        normal = pld_allocate(bytes, 1);
    }
    if (normal) {
        *normal_length = write_lower(points, count, normal);
    }
    pld_free(points);
    return normal;
}
