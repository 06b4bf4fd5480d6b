/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise convolution, a vector of channels and some pixels at a time, which share their neighbours. */
#include "kernels/table.h"
#include "kernels/vector/functions.h"

enum { PIXELS = 4 };

/** Channels [c, c + lanes) of some pixels from x on; `inside`: they and their neighbours are in the row. */
typedef struct pixel_group {
    int64_t x, c, lanes;
    bool inside;
} pixel_group;

/** The pixel of a row, zeros past its ends. */
PLD_INLINE vec pixel_at(const pld_depthwise_row *r, const float *row, int64_t x, const pixel_group *g) {
    const bool beyond = !g->inside && (x < 0 || x >= r->width);
    return beyond ? splat(0) : load_lanes(row + x * r->pixel + g->c, g->lanes);
}

PLD_INLINE void convolve(const pld_depthwise_row *r, const int side, const int count, const pixel_group *g,
                         vec *sums) {
    const vec bias = r->bias ? load_lanes(r->bias + g->c, g->lanes) : splat(0);
    for (int i = 0; i < count; i++) {
        sums[i] = bias;
    }
    for (int64_t dy = 0; dy < side; dy++) {
        const float *row = r->rows[dy];
        const float *weights = r->weights + dy * side * r->weight_row + g->c;
        if (!row) {
            continue;
        }
        vec x[PIXELS + PLD_MOST_DEPTHWISE_SIDE - 1];
        for (int i = 0; i < count + side - 1; i++) {
            x[i] = pixel_at(r, row, g->x + i - side / 2, g);
        }
        for (int dx = 0; dx < side; dx++) {
            const vec weight = load_lanes(weights + dx * r->weight_row, g->lanes);
            for (int i = 0; i < count; i++) {
                sums[i] += weight * x[i + dx];
            }
        }
    }
}

/** Ask for what the next group reads of the lower row, which no row of the output has read yet. Pixels past
 * the end may be asked for: nothing is read, and the address is made without pointer arithmetic. */
PLD_INLINE void fetch_next(const pld_depthwise_row *r, const int side, int64_t x, int64_t c) {
    const float *lower = r->rows[side - 1];
    for (int64_t i = side / 2; lower && i < PIXELS + side / 2; i++) {
        const uintptr_t ahead = (uintptr_t)((x + PIXELS + i) * r->pixel + c);
        __builtin_prefetch((const void *)((uintptr_t)lower + ahead * sizeof(float)));
    }
}

/** And what it writes. */
PLD_INLINE void fetch_to_write(const pld_depthwise_row *r, int64_t x, int64_t c) {
    for (int64_t i = PIXELS; i < 2 * PIXELS; i++) {
        const uintptr_t ahead = (uintptr_t)((x + i) * r->out_pixel + c);
        __builtin_prefetch((const void *)((uintptr_t)r->out + ahead * sizeof(float)), 1);
    }
}

PLD_INLINE void write_pixels(const pld_depthwise_row *r, const int side, const int count,
                             const pixel_group *g) {
    vec sums[PIXELS], opening[PIXELS];
    convolve(r, side, count, g, sums);
    if (r->partner > 0) {
        const pixel_group partner = {g->x, g->c + r->partner, g->lanes, g->inside};
        convolve(r, side, count, &partner, opening);
        for (int i = 0; i < count; i++) {
            sums[i] *= opening[i] * sigmoid_of(opening[i]);
        }
    }
    for (int i = 0; i < count; i++) {
        store_lanes(r->out + (g->x + i) * r->out_pixel + g->c, sums[i], g->lanes);
    }
}

/** A whole vector of channels of PIXELS pixels. */
PLD_INLINE void write_group(const pld_depthwise_row *r, const int side, int64_t x, int64_t c) {
    fetch_to_write(r, x, c);
    fetch_next(r, side, x, c);
    if (r->partner > 0) {
        fetch_next(r, side, x, c + r->partner);
    }
    if (x >= side / 2 && x + PIXELS + side / 2 <= r->width) {
        write_pixels(r, side, PIXELS, &(pixel_group){x, c, PLD_LANES, true});
    } else {
        write_pixels(r, side, PIXELS, &(pixel_group){x, c, PLD_LANES, false});
    }
}

PLD_INLINE void write_row(const pld_depthwise_row *r, const int side) {
    for (int64_t x = 0; x < r->width; x += PIXELS) {
        const int64_t left = r->width - x;
        for (int64_t c = 0; c < r->channels; c += PLD_LANES) {
            const int64_t lanes = r->channels - c < PLD_LANES ? r->channels - c : PLD_LANES;
            if (left >= PIXELS && lanes == PLD_LANES) {
                write_group(r, side, x, c);
                continue;
            }
            for (int64_t i = 0; i < left && i < PIXELS; i++) {
                write_pixels(r, side, 1, &(pixel_group){x + i, c, lanes, false});
            }
        }
    }
}

void PLD_KERNEL(depthwise_row)(const pld_depthwise_row *r) {
    if (r->side == 3) {
        write_row(r, 3);
    } else {
        write_row(r, 5);
    }
}
