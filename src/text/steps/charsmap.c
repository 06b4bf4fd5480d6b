/* SPDX-License-Identifier: Apache-2.0 */
#include "text/steps/charsmap.h"

#include <stdbool.h>
#include <utf8proc.h>

#include "core/utf8.h"

enum {
    MAP_BYTES = 64 << 20,
    LONGEST_REPLACEMENT = 1024, /* bytes; the longest of NFKC has 33 */
    SHORT_GRAPHEME = 6,         /* bytes; longer ones are not looked up whole */
    COMBINING_ACUTE = 0x301
};

static pld_status damaged(const char *name, const char *what, pld_error *error) {
    return pld_fail(error, PLD_ERROR_FORMAT,
                    "%s: precompiled_charsmap: expected a map of characters, found %s; download it again "
                    "from the model's source",
                    name, what);
}

/* The fields of a unit of the double array. */
static bool has_leaf(uint32_t unit) {
    return (unit >> 8 & 1) != 0;
}
static bool is_leaf(uint32_t unit) {
    return (unit >> 31 & 1) != 0;
}
static uint32_t unit_value(uint32_t unit) {
    return unit & 0x7FFFFFFFu;
}
static uint32_t unit_label(uint32_t unit) {
    return unit & 0x800000FFu;
}
static uint32_t unit_offset(uint32_t unit) {
    return (unit >> 10) << ((unit & 1u << 9) >> 6);
}

/** Check what every leaf stands for: it begins with a character, not inside of one, and is short. */
static pld_status check_leaves(const pld_charsmap *map, const char *name, pld_error *error) {
    for (size_t i = 0; i < map->unit_count; i++) {
        const uint32_t unit = map->units[i];
        const size_t leaf = i ^ unit_offset(unit);
        if (is_leaf(unit) || !has_leaf(unit) || leaf >= map->unit_count) {
            continue;
        }
        const size_t place = unit_value(map->units[leaf]);
        if (place >= map->size) {
            continue; /* no replacement: find() says so */
        }
        if (((unsigned char)map->replacements[place] & 0xC0u) == 0x80u) {
            return damaged(name, "a replacement that begins inside of a character", error);
        }
        const size_t rest = map->size - place;
        if (rest > LONGEST_REPLACEMENT && !memchr(map->replacements + place, 0, LONGEST_REPLACEMENT + 1)) {
            return damaged(name, "a replacement of more than 1024 bytes", error);
        }
    }
    return PLD_OK;
}

pld_status pld_charsmap_read(pld_charsmap *map, const uint8_t *bytes, size_t size, const char *name,
                             pld_error *error) {
    if (size == 0) {
        return PLD_OK;
    }
    if (size < 4 || size > MAP_BYTES) {
        return damaged(name, "too few or too many bytes", error);
    }
    const size_t trie = bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 24;
    if (trie % 4 != 0 || trie == 0 || trie > size - 4) {
        return damaged(name, "a table of an impossible size", error);
    }
    map->unit_count = trie / 4;
    map->size = size - 4 - trie;
    map->units = pld_allocate(map->unit_count, sizeof *map->units);
    map->replacements = pld_copy_bytes((const char *)bytes + 4 + trie, map->size);
    if (!map->units || !map->replacements) {
        return pld_fail_memory(error, size, name);
    }
    for (size_t i = 0; i < map->unit_count; i++) {
        const uint8_t *unit = bytes + 4 + 4 * i;
        map->units[i] = unit[0] | (uint32_t)unit[1] << 8 | (uint32_t)unit[2] << 16 | (uint32_t)unit[3] << 24;
    }
    for (size_t i = 0; i < map->size;) {
        int32_t point = 0;
        i += pld_utf8_decode(map->replacements + i, map->size - i, &point);
        if (point < 0) {
            return damaged(name, "replacements that are not UTF-8", error);
        }
    }
    return check_leaves(map, name, error);
}

static int base64_digit(char c) {
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

pld_status pld_charsmap_read_base64(pld_charsmap *map, const char *text, size_t length, const char *name,
                                    pld_error *error) {
    while (length > 0 && text[length - 1] == '=') {
        length--;
    }
    uint8_t *bytes = pld_allocate(length / 4 * 3 + 3, 1);
    if (!bytes) {
        return pld_fail_memory(error, length, name);
    }
    size_t size = 0;
    uint32_t bits = 0;
    pld_status status = length % 4 == 1 ? damaged(name, "base64 that is cut short", error) : PLD_OK;
    for (size_t i = 0; i < length && status == PLD_OK; i++) {
        const int digit = base64_digit(text[i]);
        bits = bits << 6 | (uint32_t)digit;
        if (digit < 0) {
            status = damaged(name, "text that is not base64", error);
        } else if (i % 4 != 0) {
            bytes[size++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
        }
    }
    if (status == PLD_OK) {
        status = pld_charsmap_read(map, bytes, size, name, error);
    }
    pld_free(bytes);
    return status;
}

/** The replacement for the shortest entry that `text` begins with; NULL: none. */
static const char *find(const pld_charsmap *map, const char *text, size_t length) {
    size_t at = unit_offset(map->units[0]);
    for (size_t i = 0; i < length && text[i]; i++) {
        const uint8_t byte = (uint8_t)text[i];
        at ^= byte;
        if (at >= map->unit_count || unit_label(map->units[at]) != byte) {
            return NULL;
        }
        const uint32_t unit = map->units[at];
        at ^= unit_offset(unit);
        if (has_leaf(unit)) {
            const size_t place = at < map->unit_count ? unit_value(map->units[at]) : map->size;
            return place < map->size ? map->replacements + place : NULL;
        }
    }
    return NULL;
}

/** Append what becomes of one grapheme. */
static pld_status apply_grapheme(const pld_charsmap *map, const char *text, size_t length,
                                 pld_text_buffer *out, pld_error *error) {
    const char *whole = length < SHORT_GRAPHEME ? find(map, text, length) : NULL;
    if (whole) {
        return pld_text_append(out, whole, strlen(whole), error);
    }
    for (size_t i = 0; i < length;) {
        int32_t point = 0;
        const size_t size = pld_utf8_decode(text + i, length - i, &point);
        const char *one = find(map, text + i, size);
        PLD_TRY(pld_text_append(out, one ? one : text + i, one ? strlen(one) : size, error));
        i += size;
    }
    return PLD_OK;
}

/** Marks of Unicode 16 and 17, which utf8proc 2.8 (Unicode 15) does not know yet, in ascending order. */
static const struct {
    int32_t first, last;
} young_marks[] = {
    {0x897, 0x897},     {0x1ACF, 0x1ADD},   {0x1AE0, 0x1AEB},   {0x10D69, 0x10D6D}, {0x10EFA, 0x10EFC},
    {0x113B8, 0x113C0}, {0x113C2, 0x113C2}, {0x113C5, 0x113C5}, {0x113C7, 0x113CA}, {0x113CC, 0x113D0},
    {0x113D2, 0x113D2}, {0x113E1, 0x113E2}, {0x11B60, 0x11B67}, {0x11F5A, 0x11F5A}, {0x1611E, 0x1612F},
    {0x1E5EE, 0x1E5EF}, {0x1E6E3, 0x1E6E3}, {0x1E6E6, 0x1E6E6}, {0x1E6EE, 0x1E6EF}, {0x1E6F5, 0x1E6F5},
};

/** The code point that decides where graphemes end: a young mark counts as an old one. */
static int32_t grapheme_point(int32_t point) {
    for (size_t i = 0; i < sizeof young_marks / sizeof *young_marks && point >= young_marks[i].first; i++) {
        if (point <= young_marks[i].last) {
            return COMBINING_ACUTE;
        }
    }
    return point < 0 ? 0xFFFD : point;
}

pld_status pld_charsmap_apply(const pld_charsmap *map, const char *text, size_t length, pld_text_buffer *out,
                              pld_error *error) {
    if (map->unit_count == 0) {
        return pld_text_append(out, text, length, error);
    }
    size_t begin = 0;
    int32_t before = -1;
    utf8proc_int32_t state = 0;
    for (size_t at = 0; at < length;) {
        int32_t point = 0;
        const size_t size = pld_utf8_decode(text + at, length - at, &point);
        point = grapheme_point(point);
        if (before >= 0 && utf8proc_grapheme_break_stateful(before, point, &state)) {
            PLD_TRY(apply_grapheme(map, text + begin, at - begin, out, error));
            begin = at;
        }
        before = point;
        at += size;
    }
    return begin < length ? apply_grapheme(map, text + begin, length - begin, out, error) : PLD_OK;
}

void pld_charsmap_free(pld_charsmap *map) {
    pld_free(map->units);
    pld_free(map->replacements);
    *map = (pld_charsmap){0};
}
