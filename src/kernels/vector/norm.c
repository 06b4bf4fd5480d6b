/* SPDX-License-Identifier: Apache-2.0 */
/* Normalisation, a vector of channels at a time. Sums are float32 over at most a block of tokens or one
 * lane's share of a row, around the mean, and lanes are joined in double. */
#include "kernels/table.h"
#include "kernels/vector/functions.h"

/** A vector's worth of channels from `c` on; the last one of a row may be cut short. */
PLD_INLINE vec load_channels(const float *row, int64_t c, int64_t channels) {
    return c + PLD_LANES <= channels ? load(row + c) : load_part(row + c, (size_t)(channels - c));
}

PLD_INLINE void store_channels(float *row, int64_t c, int64_t channels, vec x) {
    if (c + PLD_LANES <= channels) {
        store(row + c, x);
    } else {
        store_part(row + c, x, (size_t)(channels - c));
    }
}

void PLD_KERNEL(channel_moments)(const float *x, int64_t tokens, int64_t channels, float *mean,
                                 float *squares) {
    vec part = splat(1.0F / (float)tokens);
    for (int64_t c = 0; c < channels; c += PLD_LANES) {
        /* Sum around the first token: the mean's error is then relative to the spread, not to the offset. */
        vec pivot = load_channels(x, c, channels);
        vec sum = {0};
        for (int64_t token = 1; token < tokens; token++) {
            sum += load_channels(x + token * channels, c, channels) - pivot;
        }
        vec centre = pivot + sum * part;
        vec total = {0};
        for (int64_t token = 0; token < tokens; token++) {
            vec distance = load_channels(x + token * channels, c, channels) - centre;
            total += distance * distance;
        }
        store_channels(mean, c, channels, centre);
        store_channels(squares, c, channels, total);
    }
}

PLD_INLINE void scale_shift_rows(const float *x, int64_t tokens, int64_t channels, const float *scale,
                                 const float *shift, const bool silu, float *out) {
    for (int64_t token = 0; token < tokens; token++) {
        const float *in = x + token * channels;
        for (int64_t c = 0; c < channels; c += PLD_LANES) {
            vec y = load_channels(scale, c, channels) * load_channels(in, c, channels) +
                    load_channels(shift, c, channels);
            store_channels(out + token * channels, c, channels, silu ? y * sigmoid_of(y) : y);
        }
    }
}

void PLD_KERNEL(scale_shift)(const float *x, int64_t tokens, int64_t channels, const float *scale,
                             const float *shift, bool silu, float *out) {
    if (silu) {
        scale_shift_rows(x, tokens, channels, scale, shift, true, out);
    } else {
        scale_shift_rows(x, tokens, channels, scale, shift, false, out);
    }
}

/** out = (in − mean)·factor·weight + bias; weight and bias may be NULL. */
PLD_INLINE void write_row(const float *in, int64_t channels, float mean, float factor, const float *weight,
                          const float *bias, float *out) {
    for (int64_t c = 0; c < channels; c += PLD_LANES) {
        vec y = (load_channels(in, c, channels) - splat(mean)) * splat(factor);
        y = weight ? y * load_channels(weight, c, channels) : y;
        y = bias ? y + load_channels(bias, c, channels) : y;
        store_channels(out, c, channels, y);
    }
}

/** Σ (in − mean)² over a row; lanes past its end count nothing. */
PLD_INLINE double squares_around(const float *in, int64_t channels, float mean) {
    vec squares = {0};
    int64_t c = 0;
    for (; c + PLD_LANES <= channels; c += PLD_LANES) {
        vec distance = load(in + c) - splat(mean);
        squares += distance * distance;
    }
    double rest = 0;
    for (; c < channels; c++) {
        rest += ((double)in[c] - (double)mean) * ((double)in[c] - (double)mean);
    }
    return sum_lanes(squares) + rest;
}

void PLD_KERNEL(layer_norm)(const float *x, int64_t rows, int64_t channels, float epsilon,
                            const float *weight, const float *bias, float *out) {
    for (int64_t row = 0; row < rows; row++) {
        const float *in = x + row * channels;
        vec sum = {0};
        for (int64_t c = 0; c < channels; c += PLD_LANES) {
            sum += load_channels(in, c, channels);
        }
        float mean = (float)(sum_lanes(sum) / (double)channels);
        double variance = squares_around(in, channels, mean) / (double)channels;
        write_row(in, channels, mean, (float)(1 / sqrt(variance + (double)epsilon)), weight, bias,
                  out + row * channels);
    }
}

void PLD_KERNEL(rms_norm)(const float *x, int64_t rows, int64_t channels, float epsilon, const float *weight,
                          float *out) {
    for (int64_t row = 0; row < rows; row++) {
        const float *in = x + row * channels;
        double square = squares_around(in, channels, 0) / (double)channels;
        write_row(in, channels, 0, (float)(1 / sqrt(square + (double)epsilon)), weight, NULL,
                  out + row * channels);
    }
}
