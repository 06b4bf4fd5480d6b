/* SPDX-License-Identifier: Apache-2.0 */
#include "text/unicode/characters.h"

#include <stddef.h>
#include <utf8proc.h>

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

/** Marks with a combining class or a composition since Unicode 10, in ascending order. */
static const struct {
    int32_t first, last;
} new_marks[] = {
    {0x7FD, 0x7FD},     {0x897, 0x89F},     {0x8CA, 0x8D3},     {0x9FE, 0x9FE},     {0xC3C, 0xC3C},
    {0xD3B, 0xD3C},     {0xEBA, 0xEBA},     {0x1715, 0x1715},   {0x1ABF, 0x1AEB},   {0x1DF6, 0x1DFA},
    {0xA82C, 0xA82C},   {0x10D24, 0x10D27}, {0x10D69, 0x10D6D}, {0x10EAB, 0x10EAC}, {0x10EFA, 0x10EFF},
    {0x10F46, 0x10F50}, {0x10F82, 0x10F85}, {0x11070, 0x11070}, {0x1133B, 0x1133B}, {0x113CE, 0x113D0},
    {0x113E1, 0x113E2}, {0x1145E, 0x1145E}, {0x11839, 0x1183A}, {0x11930, 0x11930}, {0x1193D, 0x1193E},
    {0x11943, 0x11943}, {0x119E0, 0x119E0}, {0x11A34, 0x11A34}, {0x11A47, 0x11A47}, {0x11A99, 0x11A99},
    {0x11D42, 0x11D42}, {0x11D44, 0x11D45}, {0x11D97, 0x11D97}, {0x11F41, 0x11F42}, {0x1612F, 0x1612F},
    {0x16FF0, 0x16FF1}, {0x1E08F, 0x1E08F}, {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE}, {0x1E2EC, 0x1E2EF},
    {0x1E4EC, 0x1E4EF}, {0x1E5EE, 0x1E5EF}, {0x1E6E3, 0x1E6E3}, {0x1E6E6, 0x1E6E6}, {0x1E6EE, 0x1E6EF},
    {0x1E6F5, 0x1E6F5},
};

bool pld_clip_is_space(int32_t c) {
    return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
           c == 0x3000;
}

int32_t pld_clip_lower(int32_t c) {
    if (c >= new_lower[0].first) {
        for (size_t i = 0; i < sizeof new_lower / sizeof *new_lower; i++) {
            if (c >= new_lower[i].first && c <= new_lower[i].last) {
                return c + new_lower[i].shift;
            }
        }
    }
    return utf8proc_tolower(c);
}

bool pld_clip_stands_alone(int32_t c) {
    size_t low = 0;
    size_t high = sizeof new_marks / sizeof *new_marks;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c > new_marks[middle].last) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < sizeof new_marks / sizeof *new_marks && c >= new_marks[low].first;
}

unsigned pld_clip_combining_class(int32_t c) {
    return pld_clip_stands_alone(c) ? 0 : (unsigned)utf8proc_get_property(c)->combining_class & 0xFFu;
}
