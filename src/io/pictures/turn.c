/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem */
#include "io/pictures/turn.h"

#include <string.h>

#include "core/memory.h"

int pld_xmp_orientation(const char *text, size_t length) {
    static const char name[] = "tiff:Orientation";
    const char *end = text + length;
    for (const char *at = text; (at = memmem(at, (size_t)(end - at), name, sizeof name - 1)) != NULL;) {
        at += sizeof name - 1;
        const size_t between = end - at >= 2 && memcmp(at, "=\"", 2) == 0 ? 2
                               : end - at >= 1 && *at == '>'              ? 1
                                                                          : 0;
        if (between && (size_t)(end - at) > between && at[between] >= '0' && at[between] <= '9') {
            const int number = at[between] - '0';
            return number >= 1 && number <= 8 ? number : 0;
        }
    }
    return 0;
}

bool pld_picture_turn(uint8_t **rgb, int *width, int *height, int orientation) {
    static const struct {
        bool exchange, from_right, from_bottom;
    } turns[9] = {[2] = {false, true, false}, {false, true, true}, {false, false, true}, {true, false, false},
                  {true, false, true},        {true, true, true},  {true, true, false}};
    enum { RGB = 3 };
    if (orientation < 2 || orientation > 8) {
        return true;
    }
    const size_t w = (size_t)*width, h = (size_t)*height;
    const bool exchange = turns[orientation].exchange;
    const size_t new_width = exchange ? h : w, new_height = exchange ? w : h;
    uint8_t *turned = pld_allocate(w * h, RGB);
    if (!turned) {
        return false;
    }
    for (size_t y = 0; y < new_height; y++) {
        for (size_t x = 0; x < new_width; x++) {
            const size_t across = exchange ? y : x, down = exchange ? x : y;
            const size_t from_x = turns[orientation].from_right ? w - 1 - across : across;
            const size_t from_y = turns[orientation].from_bottom ? h - 1 - down : down;
            memcpy(turned + RGB * (y * new_width + x), *rgb + RGB * (from_y * w + from_x), RGB);
        }
    }
    pld_free(*rgb);
    *rgb = turned;
    *width = (int)new_width;
    *height = (int)new_height;
    return true;
}
