/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/patches.h"

#include <stdbool.h>

#include <string.h>

#include "kernels/cuts.h"

/** Numbers [from, end) of a line of a patch, `kernel` pixels beside each other from pixel `column` of row `y` on, which
 * lie beside each other in the picture, too. */
static void read_line(const pld_patches *p, const float *picture, int64_t y, int64_t column, int64_t from, int64_t end,
                      float *out) {
    const bool inside = y >= 0 && y < p->height;
    const int64_t first = pld_smaller(end, pld_larger(from, -column * p->channels));
    const int64_t last = inside ? pld_larger(first, pld_smaller(end, (p->width - column) * p->channels)) : first;
    for (int64_t i = from; i < first; i++) {
        *out++ = 0;
    }
    if (last > first) {
        const float *seen = picture + (y * p->width + column) * p->channels + first;
        memcpy(out, seen, (size_t)(last - first) * sizeof *out);
        out += last - first;
    }
    for (int64_t i = last; i < end; i++) {
        *out++ = 0;
    }
}

void pld_patches_read(const pld_patches *p, const float *x, int64_t row, int64_t rows, int64_t first, int64_t count,
                      float *out) {
    const int64_t line = p->kernel * p->channels;
    for (int64_t pixel = row; pixel < row + rows; pixel++) {
        const int64_t column = pixel % p->out_width * p->stride - p->pad_before;
        const int64_t y = pixel / p->out_width % p->out_height * p->stride - p->pad_before;
        const float *picture = x + pixel / (p->out_width * p->out_height) * p->height * p->width * p->channels;
        for (int64_t at = first; at < first + count;) {
            const int64_t from = at % line;
            const int64_t end = pld_smaller(line, from + first + count - at);
            read_line(p, picture, y + at / line, column, from, end, out);
            out += end - from;
            at += end - from;
        }
    }
}
