/* SPDX-License-Identifier: Apache-2.0 */
/* Normalisation, a vector of channels at a time. Sums are float32 over at most a block of tokens or one
 * lane's share of a row, around the mean, and lanes are joined in double. */
#include "kernels/table.h"
#include "kernels/vector/functions.h"
#include "kernels/vector/row_sum.h"

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

enum { MOST_VECTORS = 4 }; /* of channels, side by side: 8 were no faster */

/** `count` vectors of channels from `first` on, side by side, so that memory is read along lines. */
PLD_INLINE void moments_of(const float *x, int64_t tokens, int64_t channels, int64_t first,
                           const int64_t count, float *mean, float *squares) {
    vec part = splat(1.0F / (float)tokens);
    vec centre[MOST_VECTORS];
    vec sum[MOST_VECTORS];
    vec total[MOST_VECTORS];
    for (int64_t v = 0; v < count; v++) {
        /* Sum around the first token: the mean's error is then relative to the spread, not to the offset. */
        centre[v] = load_channels(x, first + v * PLD_LANES, channels);
        sum[v] = total[v] = (vec){0};
    }
    for (int64_t token = 1; token < tokens; token++) {
        for (int64_t v = 0; v < count; v++) {
            sum[v] += load_channels(x + token * channels, first + v * PLD_LANES, channels) - centre[v];
        }
    }
    for (int64_t v = 0; v < count; v++) {
        centre[v] += sum[v] * part;
    }
    for (int64_t token = 0; token < tokens; token++) {
        for (int64_t v = 0; v < count; v++) {
            vec distance = load_channels(x + token * channels, first + v * PLD_LANES, channels) - centre[v];
            total[v] += distance * distance;
        }
    }
    for (int64_t v = 0; v < count; v++) {
        store_channels(mean, first + v * PLD_LANES, channels, centre[v]);
        store_channels(squares, first + v * PLD_LANES, channels, total[v]);
    }
}

void PLD_KERNEL(channel_moments)(const float *x, int64_t tokens, int64_t channels, float *mean,
                                 float *squares) {
    int64_t c = 0;
    for (; c + (int64_t)MOST_VECTORS * PLD_LANES <= channels; c += (int64_t)MOST_VECTORS * PLD_LANES) {
        moments_of(x, tokens, channels, c, MOST_VECTORS, mean, squares);
    }
    for (; c < channels; c += PLD_LANES) {
        moments_of(x, tokens, channels, c, 1, mean, squares);
    }
}

PLD_INLINE vec scale_shift_of(vec x, vec scale, vec shift, const bool silu) {
    vec y = scale * x + shift;
    return silu ? y * sigmoid_of(y) : y;
}

PLD_INLINE void scale_shift_rows(const float *x, int64_t tokens, int64_t channels, const float *scale,
                                 const float *shift, const bool silu, float *out) {
    for (int64_t token = 0; token < tokens; token++) {
        const float *in = x + token * channels;
        float *to = out + token * channels;
        int64_t c = 0;
        for (; c + PLD_LANES <= channels; c += PLD_LANES) {
            store(to + c, scale_shift_of(load(in + c), load(scale + c), load(shift + c), silu));
        }
        if (c < channels) {
            size_t rest = (size_t)(channels - c);
            store_part(to + c,
                       scale_shift_of(load_part(in + c, rest), load_part(scale + c, rest),
                                      load_part(shift + c, rest), silu),
                       rest);
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

/** (x − mean)·factor·weight + bias at channel c; weight and bias may be NULL. */
PLD_INLINE vec normal_of(vec x, vec mean, vec factor, const float *weight, const float *bias, int64_t c,
                         int64_t channels) {
    vec y = (x - mean) * factor;
    y = weight ? y * load_channels(weight, c, channels) : y;
    return bias ? y + load_channels(bias, c, channels) : y;
}

PLD_INLINE void write_row(const float *in, int64_t channels, float mean, float factor, const float *weight,
                          const float *bias, float *out) {
    int64_t c = 0;
    for (; c + PLD_LANES <= channels; c += PLD_LANES) {
        store(out + c, normal_of(load(in + c), splat(mean), splat(factor), weight, bias, c, channels));
    }
    if (c < channels) {
        vec y =
            normal_of(load_channels(in, c, channels), splat(mean), splat(factor), weight, bias, c, channels);
        store_channels(out, c, channels, y);
    }
}

void PLD_KERNEL(layer_norm)(const float *x, int64_t rows, int64_t channels, float epsilon,
                            const float *weight, const float *bias, float *out) {
    for (int64_t row = 0; row < rows; row++) {
        const float *in = x + row * channels;
        /* Around the first element: the mean's error is then relative to the spread, not to the offset. */
        float mean = (float)((double)in[0] + sum_row(in, channels, in[0], false) / (double)channels);
        double variance = sum_row(in, channels, mean, true) / (double)channels;
        write_row(in, channels, mean, (float)(1 / sqrt(variance + (double)epsilon)), weight, bias,
                  out + row * channels);
    }
}

void PLD_KERNEL(rms_norm)(const float *x, int64_t rows, int64_t channels, float epsilon, const float *weight,
                          float *out) {
    for (int64_t row = 0; row < rows; row++) {
        const float *in = x + row * channels;
        double square = sum_row(in, channels, 0, true) / (double)channels;
        write_row(in, channels, 0, (float)(1 / sqrt(square + (double)epsilon)), weight, NULL,
                  out + row * channels);
    }
}

/** What follows a norm: ·(1 + scale) + shift, after a weight if there is one; weight and shift may be NULL.
 */
typedef struct modulation {
    const float *weight, *scale, *shift;
} modulation;

PLD_INLINE vec modulated_of(vec x, vec mean, vec factor, const modulation *m, int64_t c, int64_t lanes) {
    vec y = (x - mean) * factor;
    y = m->weight ? y * load_lanes(m->weight + c, lanes) : y;
    y = y * (splat(1) + load_lanes(m->scale + c, lanes));
    return m->shift ? y + load_lanes(m->shift + c, lanes) : y;
}

PLD_INLINE void write_modulated(const float *in, int64_t channels, float mean, float factor,
                                const modulation *m, float *out) {
    int64_t c = 0;
    for (; c + PLD_LANES <= channels; c += PLD_LANES) {
        store(out + c, modulated_of(load(in + c), splat(mean), splat(factor), m, c, PLD_LANES));
    }
    if (c < channels) {
        const int64_t rest = channels - c;
        const vec x = load_lanes(in + c, rest);
        store_lanes(out + c, modulated_of(x, splat(mean), splat(factor), m, c, rest), rest);
    }
}

void PLD_KERNEL(layer_norm_modulated)(const float *x, int64_t rows, int64_t channels, float epsilon,
                                      const float *scale, const float *shift, float *out) {
    const modulation m = {NULL, scale, shift};
    for (int64_t row = 0; row < rows; row++) {
        const float *in = x + row * channels;
        float mean = (float)((double)in[0] + sum_row(in, channels, in[0], false) / (double)channels);
        double variance = sum_row(in, channels, mean, true) / (double)channels;
        write_modulated(in, channels, mean, (float)(1 / sqrt(variance + (double)epsilon)), &m,
                        out + row * channels);
    }
}

void PLD_KERNEL(rms_norm_modulated)(const float *x, int64_t rows, int64_t channels, float epsilon,
                                    const float *weight, const float *scale, const float *shift, float *out) {
    const modulation m = {weight, scale, shift};
    for (int64_t row = 0; row < rows; row++) {
        const float *in = x + row * channels;
        double square = sum_row(in, channels, 0, true) / (double)channels;
        write_modulated(in, channels, 0, (float)(1 / sqrt(square + (double)epsilon)), &m,
                        out + row * channels);
    }
}
