/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/difference.h"

#include <stdlib.h>

bool difference_make(const pld_image *first, const pld_image *second, difference *result) {
    *result = (difference){0};
    if (!canvas_create(&result->image, (size_t)first->width, (size_t)first->height, "the difference")) {
        return false;
    }
    size_t pixels = (size_t)first->width * (size_t)first->height, changed = 0;
    double sum = 0;
    for (size_t i = 0; i < pixels; i++) {
        int most = 0;
        for (size_t c = 3 * i; c < 3 * i + 3; c++) {
            int apart = abs(second->pixels[c] - first->pixels[c]);
            int shown = apart * DIFFERENCE_GAIN;
            result->image.pixels[c] = (uint8_t)(shown < 255 ? shown : 255);
            sum += apart;
            most = apart > most ? apart : most;
        }
        changed += most > DIFFERENCE_VISIBLE;
        result->largest = most > result->largest ? most : result->largest;
    }
    result->mean = sum / (double)(3 * pixels);
    result->changed = (double)changed / (double)pixels;
    return true;
}

void difference_free(difference *result) {
    canvas_free(&result->image);
}
