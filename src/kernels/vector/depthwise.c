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

PLD_INLINE void convolve(const pld_depthwise_row *r, const int count, const pixel_group *g, vec *sums) {
    const vec bias = r->bias ? load_lanes(r->bias + g->c, g->lanes) : splat(0);
    for (int i = 0; i < count; i++) {
        sums[i] = bias;
    }
    for (int64_t dy = 0; dy < 3; dy++) {
        const float *row = r->rows[dy];
        const float *weights = r->weights + dy * 3 * r->weight_row + g->c;
        if (!row) {
            continue;
        }
        const vec left = load_lanes(weights, g->lanes);
        const vec own = load_lanes(weights + r->weight_row, g->lanes);
        const vec right = load_lanes(weights + 2 * r->weight_row, g->lanes);
        vec x[PIXELS + 2];
        for (int i = 0; i < count + 2; i++) {
            x[i] = pixel_at(r, row, g->x + i - 1, g);
        }
        for (int i = 0; i < count; i++) {
            sums[i] += left * x[i];
            sums[i] += own * x[i + 1];
            sums[i] += right * x[i + 2];
        }
    }
}

/** Ask for what the next group reads of the lower row, which no row of the output has read yet. Pixels past
 * the end may be asked for: nothing is read, and the address is made without pointer arithmetic. */
PLD_INLINE void fetch_next(const pld_depthwise_row *r, int64_t x, int64_t c) {
    for (int64_t i = 1; r->rows[2] && i <= PIXELS; i++) {
        const uintptr_t ahead = (uintptr_t)((x + PIXELS + i) * r->pixel + c);
        __builtin_prefetch((const void *)((uintptr_t)r->rows[2] + ahead * sizeof(float)));
    }
}

/** And what it writes. */
PLD_INLINE void fetch_to_write(const pld_depthwise_row *r, int64_t x, int64_t c) {
    for (int64_t i = PIXELS; i < 2 * PIXELS; i++) {
        const uintptr_t ahead = (uintptr_t)((x + i) * r->out_pixel + c);
        __builtin_prefetch((const void *)((uintptr_t)r->out + ahead * sizeof(float)), 1);
    }
}

PLD_INLINE void write_pixels(const pld_depthwise_row *r, const int count, const pixel_group *g) {
    vec sums[PIXELS], opening[PIXELS];
    convolve(r, count, g, sums);
    if (r->partner > 0) {
        const pixel_group partner = {g->x, g->c + r->partner, g->lanes, g->inside};
        convolve(r, count, &partner, opening);
        for (int i = 0; i < count; i++) {
            sums[i] *= opening[i] * sigmoid_of(opening[i]);
        }
    }
    for (int i = 0; i < count; i++) {
        store_lanes(r->out + (g->x + i) * r->out_pixel + g->c, sums[i], g->lanes);
    }
}

/** A whole vector of channels of PIXELS pixels. */
static void write_group(const pld_depthwise_row *r, int64_t x, int64_t c) {
    fetch_to_write(r, x, c);
    fetch_next(r, x, c);
    if (r->partner > 0) {
        fetch_next(r, x, c + r->partner);
    }
    if (x > 0 && x + PIXELS < r->width) {
        write_pixels(r, PIXELS, &(pixel_group){x, c, PLD_LANES, true});
    } else {
        write_pixels(r, PIXELS, &(pixel_group){x, c, PLD_LANES, false});
    }
}

void PLD_KERNEL(depthwise_row)(const pld_depthwise_row *r) {
    for (int64_t x = 0; x < r->width; x += PIXELS) {
        const int64_t left = r->width - x;
        for (int64_t c = 0; c < r->channels; c += PLD_LANES) {
            const int64_t lanes = r->channels - c < PLD_LANES ? r->channels - c : PLD_LANES;
            if (left >= PIXELS && lanes == PLD_LANES) {
                write_group(r, x, c);
                continue;
            }
            for (int64_t i = 0; i < left && i < PIXELS; i++) {
                write_pixels(r, 1, &(pixel_group){x + i, c, lanes, false});
            }
        }
    }
}
