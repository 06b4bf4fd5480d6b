/* SPDX-License-Identifier: Apache-2.0 */
#include "text/unicode/nfc.h"

#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

#include "core/memory.h"
#include "core/utf8.h"
#include "text/unicode/characters.h"

enum {
    LONGEST_DECOMPOSITION = 4, /* code points; canonical decompositions never take more */
    DIVES_AKURU_O = 0x11938    /* its decomposition is younger than Unicode 9 */
};

/** Stable sort of a run of combining marks by class. Counting, because utf8proc's own exchange sort
 *  takes quadratic time on a hostile run. `scratch` holds `count` code points. */
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

/** Canonical decomposition of UTF-8 into `points` (room for LONGEST_DECOMPOSITION code points a
 *  character); returns how many there are. */
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

int32_t *pld_nfc_points(const char *text, size_t length, size_t *count) {
    size_t characters = 0;
    for (size_t i = 0; i < length; characters++) { /* stray bytes count, too, as decompose() takes them */
        int32_t point = 0;
        i += pld_utf8_decode(text + i, length - i, &point);
    }
    size_t room = 0;
    if (!pld_multiply(characters, LONGEST_DECOMPOSITION, &room)) {
        return NULL;
    }
    int32_t *points = pld_allocate(room, sizeof *points);
    int32_t *scratch = pld_allocate(room, sizeof *scratch);
    if (points && scratch) {
        *count = decompose(text, length, points);
        order_marks(points, *count, scratch);
        *count = compose(points, *count);
    } else {
        pld_free(points);
        points = NULL;
    }
    pld_free(scratch);
    return points;
}

char *pld_nfc(const char *text, size_t length, size_t *normal_length) {
    size_t at = 0;
    while (at < length && (unsigned char)text[at] < 0x80) {
        at++;
    }
    if (at == length) { /* ASCII is in normal form */
        *normal_length = length;
        return pld_copy_bytes(text, length);
    }
    size_t count = 0;
    int32_t *points = pld_nfc_points(text, length, &count);
    size_t room = 0;
    char *normal = NULL;
    if (points && pld_multiply(count, 4, &room) && pld_add(room, 1, &room)) {
        normal = pld_allocate(room, 1);
    }
    if (normal) {
        *normal_length = 0;
        for (size_t i = 0; i < count; i++) {
            *normal_length += pld_utf8_encode(points[i], normal + *normal_length);
        }
    }
    pld_free(points);
    return normal;
}
