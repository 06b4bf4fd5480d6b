/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels that only move numbers. */
#include <string.h>

#include "kernels/table.h"

static void copy_floats(float *to, const float *from, int64_t count) {
    memcpy(to, from, (size_t)count * sizeof(float));
}

void PLD_KERNEL(concat_channels)(const float *a, int64_t a_channels, const float *b, int64_t b_channels,
                                 int64_t tokens, float *out) {
    for (int64_t token = 0; token < tokens; token++) {
        float *row = out + token * (a_channels + b_channels);
        copy_floats(row, a + token * a_channels, a_channels);
        copy_floats(row + a_channels, b + token * b_channels, b_channels);
    }
}

void PLD_KERNEL(upsample_nearest)(const float *in, int64_t height, int64_t width, int64_t channels,
                                  int64_t out_height, int64_t out_width, float *out) {
    for (int64_t y = 0; y < out_height; y++) {
        const float *row = in + y * height / out_height * width * channels;
        float *out_row = out + y * out_width * channels;
        for (int64_t x = 0; x < out_width; x++) {
            copy_floats(out_row + x * channels, row + x * width / out_width * channels, channels);
        }
    }
}

void PLD_KERNEL(nchw_to_nhwc)(const float *in, int64_t channels, int64_t tokens, float *out) {
    PLD_KERNEL(transpose)(in, tokens, channels, tokens, out, channels);
}

void PLD_KERNEL(nhwc_to_nchw)(const float *in, int64_t channels, int64_t tokens, float *out) {
    PLD_KERNEL(transpose)(in, channels, tokens, channels, out, tokens);
}

/** Numbers from one channel, row and column to the next. */
typedef struct steps {
    int64_t channel, y, x;
} steps;

static steps picture_steps(const pld_patch_grid *p) {
    return p->channels_last ? (steps){1, p->width * p->channels, p->channels}
                            : (steps){p->height * p->width, p->width, 1};
}

static steps token_steps(const pld_patch_grid *p) {
    return p->channels_inner ? (steps){1, p->patch * p->channels, p->channels}
                             : (steps){p->patch * p->patch, p->patch, 1};
}

/** One patch: from [channels, patch, patch] at its steps to the same at others. */
static void copy_patch(const pld_patch_grid *p, const float *from, const steps *in, float *to,
                       const steps *out) {
    for (int64_t y = 0; y < p->patch; y++) {
        for (int64_t x = 0; x < p->patch; x++) {
            for (int64_t c = 0; c < p->channels; c++) {
                to[c * out->channel + y * out->y + x * out->x] =
                    from[c * in->channel + y * in->y + x * in->x];
            }
        }
    }
}

/** Where the patch of a token begins in the picture. */
static int64_t patch_at(const pld_patch_grid *p, const steps *picture, int64_t token) {
    const int64_t row = p->width / p->patch;
    return token / row * p->patch * picture->y + token % row * p->patch * picture->x;
}

void PLD_KERNEL(patchify)(const pld_patch_grid *patches, const float *picture, float *tokens) {
    const steps in = picture_steps(patches), out = token_steps(patches);
    const int64_t numbers = patches->patch * patches->patch * patches->channels;
    const int64_t count = patches->height * patches->width * patches->channels / numbers;
    for (int64_t token = 0; token < count; token++) {
        copy_patch(patches, picture + patch_at(patches, &in, token), &in, tokens + token * numbers, &out);
    }
}

void PLD_KERNEL(unpatchify)(const pld_patch_grid *patches, const float *tokens, float *picture) {
    const steps in = token_steps(patches), out = picture_steps(patches);
    const int64_t numbers = patches->patch * patches->patch * patches->channels;
    const int64_t count = patches->height * patches->width * patches->channels / numbers;
    for (int64_t token = 0; token < count; token++) {
        copy_patch(patches, tokens + token * numbers, &in, picture + patch_at(patches, &out, token), &out);
    }
}

/** Numbers of the large picture that are one of the small one. */
static int64_t shared_numbers(const pld_pixel_grid *g) {
    return g->factor * g->factor * g->large_channels / g->small_channels;
}

/** Pixel number `corner` of those that a small pixel opens into, from its channels. */
static void open_pixel(const pld_pixel_grid *g, int64_t corner, const float *from, const float *residual,
                       float *to) {
    const int64_t all = g->factor * g->factor, shared = shared_numbers(g);
    const bool even = all % shared == 0; /* then channels lie evenly, and no division is needed */
    const int64_t step = even ? all / shared : 0;
    from += even ? corner / shared : 0;
    for (int64_t n = 0; n < g->large_channels; n++) {
        const float x = even ? from[n * step] : from[(n * all + corner) / shared];
        to[n] = residual ? residual[n] + x : x;
    }
}

void PLD_KERNEL(pixel_shuffle)(const pld_pixel_grid *grid, const float *small, const float *residual,
                               float *out) {
    const int64_t factor = grid->factor, width = factor * grid->width;
    for (int64_t y = 0; y < factor * grid->height; y++) {
        for (int64_t x = 0; x < width; x++) {
            const float *from = small + (y / factor * grid->width + x / factor) * grid->small_channels;
            const int64_t at = (y * width + x) * grid->large_channels;
            open_pixel(grid, y % factor * factor + x % factor, from, residual ? residual + at : NULL,
                       out + at);
        }
    }
}

/** Where the next of a small pixel's opened numbers stands. */
typedef struct opened_number {
    int64_t channel, y, x;
} opened_number;

static void next_number(const pld_pixel_grid *g, opened_number *at) {
    at->x++;
    if (at->x == g->factor) {
        at->x = 0;
        at->y++;
    }
    if (at->y == g->factor) {
        at->y = 0;
        at->channel++;
    }
}

void PLD_KERNEL(pixel_unshuffle)(const pld_pixel_grid *grid, const float *large, const float *residual,
                                 float *out) {
    const int64_t factor = grid->factor, shared = shared_numbers(grid), channels = grid->large_channels;
    const int64_t row = factor * grid->width * channels;
    for (int64_t pixel = 0; pixel < grid->height * grid->width; pixel++) {
        const float *from = large + (pixel / grid->width * row + pixel % grid->width * channels) * factor;
        const int64_t at = pixel * grid->small_channels;
        opened_number number = {0, 0, 0};
        for (int64_t n = 0; n < grid->small_channels; n++) {
            float sum = 0;
            for (int64_t j = 0; j < shared; j++, next_number(grid, &number)) {
                sum += from[number.y * row + number.x * channels + number.channel];
            }
            const float mean = sum / (float)shared;
            out[at + n] = residual ? residual[at + n] + mean : mean;
        }
    }
}
