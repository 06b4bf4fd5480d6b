/* SPDX-License-Identifier: Apache-2.0 */
#include "io/clip_text.h"

#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

#include "core/memory.h"
#include "io/prompt_utf8.h"

enum { LONGEST_DECOMPOSITION = 4 }; /* code points; canonical decompositions never take more */

/** Lower case that utf8proc 2.8 (Unicode 15) does not know yet: first, last, what is added. */
static const struct {
    int32_t first, last, shift;
} new_lower[] = {
    {0x1C89, 0x1C89, 1},      {0xA7CB, 0xA7CB, 0x264 - 0xA7CB},
    {0xA7CC, 0xA7CC, 1},      {0xA7CE, 0xA7CE, 1},
    {0xA7D2, 0xA7D2, 1},      {0xA7D4, 0xA7D4, 1},
    {0xA7DA, 0xA7DA, 1},      {0xA7DC, 0xA7DC, 0x19B - 0xA7DC},
    {0x10D50, 0x10D65, 0x20}, {0x16EA0, 0x16EB8, 0x1B},
};

static bool is_space(int32_t c) {
    return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
           c == 0x3000;
}

/** Lower case of one code point without regard to its neighbours (so Σ is always σ). */
static int32_t lower(int32_t c) {
    if (c >= 0x1C89) {
        for (size_t i = 0; i < sizeof new_lower / sizeof *new_lower; i++) {
            if (c >= new_lower[i].first && c <= new_lower[i].last) {
                return c + new_lower[i].shift;
            }
        }
    }
    return utf8proc_tolower(c);
}

static unsigned combining_class(int32_t c) {
    return (unsigned)utf8proc_get_property(c)->combining_class & 0xFFu;
}

/** Stable sort of a run of combining marks by class. Counting, because utf8proc's own exchange sort takes
 *  quadratic time on a hostile run. `scratch` holds `count` code points. */
static void sort_marks(int32_t *marks, size_t count, int32_t *scratch) {
    size_t starts[257] = {0};
    for (size_t i = 0; i < count; i++) {
        starts[combining_class(marks[i]) + 1]++;
    }
    for (size_t i = 1; i < 257; i++) {
        starts[i] += starts[i - 1];
    }
    memcpy(scratch, marks, count * sizeof *marks);
    for (size_t i = 0; i < count; i++) {
        marks[starts[combining_class(scratch[i])]++] = scratch[i];
    }
}

/** Bring every run of combining marks into canonical order. */
static void order_marks(int32_t *points, size_t count, int32_t *scratch) {
    for (size_t begin = 0; begin < count;) {
        unsigned last = combining_class(points[begin]);
        size_t end = begin + 1;
        if (last == 0) {
            begin = end;
            continue;
        }
        bool ordered = true;
        for (unsigned next; end < count && (next = combining_class(points[end])) != 0; end++) {
            ordered = ordered && last <= next;
            last = next;
        }
        if (!ordered) {
            sort_marks(points + begin, end - begin, scratch);
        }
        begin = end;
    }
}

/** Canonical composition of UTF-8 into `points` (room for LONGEST_DECOMPOSITION code points a character);
 *  returns how many there are. */
static size_t compose(const char *text, size_t length, int32_t *points, int32_t *scratch) {
    size_t count = 0;
    for (size_t i = 0; i < length;) {
        int32_t c = 0;
        int boundary = 0;
        i += pld_utf8_decode(text + i, length - i, &c);
        utf8proc_ssize_t written = utf8proc_decompose_char(
            c < 0 ? 0xFFFD : c, points + count, LONGEST_DECOMPOSITION, UTF8PROC_DECOMPOSE, &boundary);
        count += written > 0 && written <= LONGEST_DECOMPOSITION ? (size_t)written : 0;
    }
    order_marks(points, count, scratch);
    utf8proc_ssize_t composed =
        utf8proc_normalize_utf32(points, (utf8proc_ssize_t)count, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    return composed > 0 ? (size_t)composed : 0;
}

/** White space and lower case of `count` code points, as UTF-8 into `text` (4 bytes a code point). */
static size_t write_lower(const int32_t *points, size_t count, char *text) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_space(points[i])) {
            if (i == 0 || !is_space(points[i - 1])) {
                text[size++] = ' ';
            }
        } else if (points[i] == 0x130) { /* İ is the one letter whose lower case is two code points */
            memcpy(text + size, "i\xCC\x87", 3);
            size += 3;
        } else {
            size += pld_utf8_encode(lower(points[i]), text + size);
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
        size_t count = compose(text, length, points, scratch);
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
