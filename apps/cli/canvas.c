/* SPDX-License-Identifier: Apache-2.0 */
#include "canvas.h"

#include <stdlib.h>
#include <string.h>

#include "message.h"

enum { LONGEST_SIDE = 16384 }; /* what the PNG writer takes */

const canvas_colour canvas_white = {{255, 255, 255}}, canvas_black = {{32, 32, 32}},
                    canvas_grey = {{160, 160, 160}};

bool canvas_fits(size_t width, size_t height) {
    return width >= 1 && height >= 1 && width <= LONGEST_SIDE && height <= LONGEST_SIDE;
}

int canvas_check(size_t width, size_t height, const char *what) {
    return canvas_fits(width, height)
               ? EXIT_DONE
               : message_usage("%s of %zu x %zu pixels is too large, expected at most %d x %d; draw fewer or "
                               "smaller pictures",
                               what, width, height, (int)LONGEST_SIDE, (int)LONGEST_SIDE);
}

bool canvas_create(pld_image *image, size_t width, size_t height, const char *what) {
    *image = (pld_image){0};
    if (canvas_check(width, height, what) != EXIT_DONE) {
        return false;
    }
    image->pixels = malloc(3 * width * height);
    if (image->pixels == NULL) {
        message_failure("%s of %zu x %zu pixels does not fit into memory", what, width, height);
        return false;
    }
    image->width = (int)width;
    image->height = (int)height;
    memset(image->pixels, 255, 3 * width * height);
    return true;
}

void canvas_free(pld_image *image) {
    free(image->pixels);
    *image = (pld_image){0};
}

static void put(pld_image *image, int x, int y, canvas_colour colour) {
    if (x >= 0 && y >= 0 && x < image->width && y < image->height) {
        memcpy(image->pixels + 3 * ((size_t)y * (size_t)image->width + (size_t)x), colour.rgb, 3);
    }
}

void canvas_fill(pld_image *image, int left, int top, int width, int height, canvas_colour colour) {
    for (int y = top; y < top + height; y++) {
        for (int x = left; x < left + width; x++) {
            put(image, x, y, colour);
        }
    }
}

void canvas_line(pld_image *image, int from_x, int from_y, int to_x, int to_y, canvas_colour colour) {
    int across = abs(to_x - from_x), down = abs(to_y - from_y);
    int steps = across > down ? across : down;
    for (int i = 0; i <= steps; i++) {
        double part = steps > 0 ? (double)i / steps : 0;
        double x = from_x + part * (to_x - from_x), y = from_y + part * (to_y - from_y);
        put(image, (int)(x + (x < 0 ? -0.5 : 0.5)), (int)(y + (y < 0 ? -0.5 : 0.5)), colour);
    }
}

void canvas_paste(pld_image *image, const pld_image *picture, int left, int top, int zoom) {
    for (int y = 0; y < picture->height * zoom; y++) {
        const uint8_t *row = picture->pixels + 3 * (size_t)(y / zoom) * (size_t)picture->width;
        for (int x = 0; x < picture->width * zoom; x++) {
            const uint8_t *from = row + (size_t)(x / zoom) * 3;
            put(image, left + x, top + y, (canvas_colour){{from[0], from[1], from[2]}});
        }
    }
}
