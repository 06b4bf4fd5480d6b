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
