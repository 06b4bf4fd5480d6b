/* SPDX-License-Identifier: Apache-2.0 */
#include "io/clip_text.h"

#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

#include "core/memory.h"
#include "io/clip_unicode.h"
#include "io/prompt_utf8.h"

enum {
    LONGEST_DECOMPOSITION = 4, /* code points; canonical decompositions never take more */
    DIVES_AKURU_O = 0x11938    /* its decomposition is younger than Unicode 9 */
};

/** Stable sort of a run of combining marks by class. Counting, because utf8proc's own exchange sort takes
 *  quadratic time on a hostile run. `scratch` holds `count` code points. */
static void sort_marks(int32_t *marks, size_t count, int32_t *scratch) {
    size_t starts[257] = {0};
    for (size_t i = 0; i < count; i++) {
        starts[pld_clip_combining_class(marks[i]) + 1]++;
    }
    for (size_t i = 1; i < 257; i++) {
        starts[i] += starts[i - 1];
    }
    memcpy(scratch, marks, count * sizeof *marks);
    for (size_t i = 0; i < count; i++) {
        marks[starts[pld_clip_combining_class(scratch[i])]++] = scratch[i];
    }
}

/** Bring every run of combining marks into canonical order. */
static void order_marks(int32_t *points, size_t count, int32_t *scratch) {
    for (size_t begin = 0; begin < count;) {
        unsigned last = pld_clip_combining_class(points[begin]);
        size_t end = begin + 1;
        if (last == 0) {
            begin = end;
            continue;
        }
        bool ordered = true;
        for (unsigned next; end < count && (next = pld_clip_combining_class(points[end])) != 0; end++) {
            ordered = ordered && last <= next;
            last = next;
        }
        if (!ordered) {
            sort_marks(points + begin, end - begin, scratch);
        }
        begin = end;
    }
}

/** Canonical decomposition of UTF-8 into `points` (room for LONGEST_DECOMPOSITION code points a character);
 *  returns how many there are. */
static size_t decompose(const char *text, size_t length, int32_t *points) {
    size_t count = 0;
    for (size_t i = 0; i < length;) {
        int32_t c = 0;
        int boundary = 0;
        i += pld_utf8_decode(text + i, length - i, &c);
        utf8proc_ssize_t written = 1;
        points[count] = c;
        if (c != DIVES_AKURU_O) {
            written = utf8proc_decompose_char(c < 0 ? 0xFFFD : c, points + count, LONGEST_DECOMPOSITION,
                                              UTF8PROC_DECOMPOSE, &boundary);
        }
        count += written > 0 && written <= LONGEST_DECOMPOSITION ? (size_t)written : 0;
    }
    return count;
}

/** Canonical composition in place, stretch by stretch where a mark stands alone; returns the new count. */
static size_t compose(int32_t *points, size_t count) {
    size_t kept = 0;
    for (size_t begin = 0, end = 0; begin < count; begin = end) {
        for (end = begin + 1; end < count && !pld_clip_stands_alone(points[end]);) {
            end++;
        }
        utf8proc_ssize_t composed = utf8proc_normalize_utf32(points + begin, (utf8proc_ssize_t)(end - begin),
                                                             UTF8PROC_STABLE | UTF8PROC_COMPOSE);
        size_t size = composed > 0 ? (size_t)composed : 0;
        memmove(points + kept, points + begin, size * sizeof *points);
        kept += size;
    }
    return kept;
}

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
    size_t characters = 0;
    for (size_t i = 0; i < length; i++) {
        characters += ((unsigned char)text[i] & 0xC0u) != 0x80u; /* every byte that begins a character */
    }
    size_t room = 0;
    if (!pld_multiply(characters, LONGEST_DECOMPOSITION, &room)) {
        return NULL;
    }
    int32_t *points = pld_allocate(room, sizeof *points);
    int32_t *scratch = pld_allocate(room, sizeof *scratch);
    char *normal = NULL;
    if (points && scratch) {
        size_t count = decompose(text, length, points);
        order_marks(points, count, scratch);
        count = compose(points, count);
        size_t bytes = 0;
        if (pld_multiply(count, 4, &bytes) && pld_add(bytes, 1, &bytes)) {
            normal = pld_allocate(bytes, 1);
        }
        if (normal) {
            *normal_length = write_lower(points, count, normal);
        }
    }
    pld_free(points);
    pld_free(scratch);
    return normal;
}
