/* SPDX-License-Identifier: Apache-2.0 */
/* Sinusoids of the tokens' places in the picture. */
#include <math.h>

#include "models/blocks/positions.h"

/** What the table depends on. */
typedef struct grid {
    int64_t height, width, channels; /* tokens */
    int64_t base;                    /* tokens of a side that it was trained at */
    double interpolation_scale;
} grid;

/** Place `index` of `count` as the network counts it: stretched to the sizes of training, in float32 as torch does. */
static double place_of(const grid *g, int64_t index, int64_t count) {
    const double stretch = (double)count / (double)g->base;
    return (double)((float)index / (float)stretch / (float)g->interpolation_scale);
}

/** out [channels]: sines, then cosines of place·10000^(−i / (channels/2)). */
static void sinusoids(double place, int64_t channels, float *out) {
    const int64_t half = channels / 2;
    for (int64_t i = 0; i < half; i++) {
        const double angle = place * pow(10000, -(double)i / (double)half);
        out[i] = (float)sin(angle);
        out[half + i] = (float)cos(angle);
    }
}

/** table [height, width, channels]: columns in the first half of the channels, rows in the second. */
static void fill(const void *description, float *table) {
    const grid *g = description;
    const int64_t half = g->channels / 2;
    for (int64_t y = 0; y < g->height; y++) {
        for (int64_t x = 0; x < g->width; x++) {
            float *token = table + (y * g->width + x) * g->channels;
            sinusoids(place_of(g, x, g->width), half, token);
            sinusoids(place_of(g, y, g->height), half, token + half);
        }
    }
}

pld_value_id pld_add_grid_positions(pld_builder *b, pld_value_id x, int64_t base,
                                    double interpolation_scale) {
    if (b->status != PLD_OK) {
        return PLD_NO_VALUE;
    }
    const pld_value *tokens = &b->plan->values[x];
    const grid places = {.height = tokens->height,
                         .width = tokens->width,
                         .channels = tokens->channels,
                         .base = base,
                         .interpolation_scale = interpolation_scale};
    return pld_add_positions(b, x, fill, &places, sizeof places);
}
