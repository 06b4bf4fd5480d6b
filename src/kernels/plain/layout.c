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
