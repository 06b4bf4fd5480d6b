/* SPDX-License-Identifier: Apache-2.0 */
#include "canvas/canvas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "terminal/message.h"

enum { LONGEST_SIDE = 16384 }; /* what the PNG writer takes */

const canvas_colour canvas_page = {{255, 255, 255}}, canvas_text = {{31, 35, 40}},
                    canvas_quiet = {{87, 96, 106}}, canvas_rule = {{216, 222, 228}},
                    canvas_right = {{26, 127, 55}}, canvas_wrong = {{207, 34, 46}};

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
    canvas_fill(image, 0, 0, image->width, image->height, canvas_page);
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

void canvas_paste(pld_image *image, const pld_image *picture, int left, int top, int zoom) {
    for (int y = 0; y < picture->height * zoom; y++) {
        const uint8_t *row = picture->pixels + 3 * (size_t)(y / zoom) * (size_t)picture->width;
        for (int x = 0; x < picture->width * zoom; x++) {
            const uint8_t *from = row + (size_t)(x / zoom) * 3;
            put(image, left + x, top + y, (canvas_colour){{from[0], from[1], from[2]}});
        }
    }
}

/** Of one channel; light is about the square of its number (sRGB's curve lies near the power 2.2). */
static uint8_t mix(uint8_t under, uint8_t over, double part) {
    const double light = (1 - part) * under * under + part * over * over;
    return (uint8_t)(sqrt(light) + 0.5);
}

void canvas_ink(pld_image *image, int left, int top, const uint8_t *coverage, int width, int height,
                canvas_colour colour) {
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            const uint8_t covered = coverage[(size_t)y * (size_t)width + (size_t)x];
            if (covered == 0 || left + x < 0 || top + y < 0 || left + x >= image->width ||
                top + y >= image->height) {
                continue;
            }
            uint8_t *pixel =
                image->pixels + 3 * ((size_t)(top + y) * (size_t)image->width + (size_t)(left + x));
            for (int c = 0; c < 3; c++) {
                pixel[c] = mix(pixel[c], colour.rgb[c], covered / 255.0);
            }
        }
    }
}
