/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/patches.h"

#include <stdbool.h>

#include <string.h>

#include "kernels/cuts.h"

/** Some numbers, few as a rule: a call of memcpy would take longer. */
static void copy(const float *from, int64_t count, float *to) {
    enum { PIECE = 4, MANY = 128 };
    if (count >= MANY) {
        memcpy(to, from, (size_t)count * sizeof *to);
        return;
    }
    int64_t i = 0;
    for (; i + PIECE <= count; i += PIECE) {
        memcpy(to + i, from + i, PIECE * sizeof *to);
    }
    for (; i < count; i++) {
        to[i] = from[i];
    }
}

/** Numbers [from, end) of a line of a patch, `kernel` pixels beside each other from pixel `column` of row `y` on, which
 * lie beside each other in the picture, too. */
static void read_line(const pld_patches *p, const float *picture, int64_t y, int64_t column, int64_t from,
                      int64_t end, float *out) {
    const bool inside = y >= 0 && y < p->height;
    const int64_t first = pld_smaller(end, pld_larger(from, -column * p->channels));
    const int64_t last =
        inside ? pld_larger(first, pld_smaller(end, (p->width - column) * p->channels)) : first;
    for (int64_t i = from; i < first; i++) {
        *out++ = 0;
    }
    if (last > first) {
        copy(picture + (y * p->width + column) * p->channels + first, last - first, out);
        out += last - first;
    }
    for (int64_t i = last; i < end; i++) {
        *out++ = 0;
    }
}

/** Where an output pixel stands. */
typedef struct patch_place {
    int64_t picture, row, column;
} patch_place;

static void next_place(const pld_patches *p, patch_place *at) {
    at->column++;
    if (at->column == p->out_width) {
        at->column = 0;
        at->row++;
    }
    if (at->row == p->out_height) {
        at->row = 0;
        at->picture++;
    }
}

void pld_patches_read(const pld_patches *p, const float *x, int64_t row, int64_t rows, int64_t first,
                      int64_t count, float *out) {
    const int64_t line = p->kernel * p->channels, pixels = p->out_height * p->out_width;
    patch_place at = {row / pixels, row % pixels / p->out_width, row % p->out_width};
    for (int64_t i = 0; i < rows; i++, next_place(p, &at)) {
        const float *picture = x + at.picture * p->height * p->width * p->channels;
        const int64_t column = at.column * p->stride - p->pad_before;
        int64_t y = at.row * p->stride - p->pad_before + first / line;
        int64_t from = first % line;
        const bool inner =
            column >= 0 && column + p->kernel <= p->width && y >= 0 && y + p->kernel <= p->height;
        for (int64_t left = count; left > 0; y++, from = 0) {
            const int64_t end = pld_smaller(line, from + left);
            if (inner) {
                copy(picture + (y * p->width + column) * p->channels + from, end - from, out);
            } else {
                read_line(p, picture, y, column, from, end, out);
            }
            out += end - from;
            left -= end - from;
        }
    }
}
