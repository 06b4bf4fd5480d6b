/* SPDX-License-Identifier: Apache-2.0 */
/* Normalisation: the specification of the vector versions. Sums in double. */
#include <math.h>

#include "kernels/table.h"

void PLD_KERNEL(channel_moments)(const float *x, int64_t tokens, int64_t channels, float *mean,
                                 float *squares) {
    for (int64_t c = 0; c < channels; c++) {
        double sum = 0;
        for (int64_t token = 0; token < tokens; token++) {
            sum += x[token * channels + c];
        }
        mean[c] = (float)(sum / (double)tokens);
        double total = 0;
        for (int64_t token = 0; token < tokens; token++) {
            double distance = (double)x[token * channels + c] - mean[c];
            total += distance * distance;
        }
        squares[c] = (float)total;
    }
}

void PLD_KERNEL(scale_shift)(const float *x, int64_t tokens, int64_t channels, const float *scale,
                             const float *shift, bool silu, float *out) {
    for (int64_t token = 0; token < tokens; token++) {
        for (int64_t c = 0; c < channels; c++) {
            float y = scale[c] * x[token * channels + c] + shift[c];
            out[token * channels + c] = silu ? y / (1.0F + expf(-y)) : y;
        }
    }
}

void PLD_KERNEL(layer_norm)(const float *x, int64_t rows, int64_t channels, float epsilon,
                            const float *weight, const float *bias, float *out) {
    for (int64_t row = 0; row < rows; row++) {
        const float *in = x + row * channels;
        float *to = out + row * channels;
        double sum = 0;
        for (int64_t c = 0; c < channels; c++) {
            sum += in[c];
        }
        double mean = sum / (double)channels;
        double squares = 0;
        for (int64_t c = 0; c < channels; c++) {
            squares += ((double)in[c] - mean) * ((double)in[c] - mean);
        }
        double factor = 1 / sqrt(squares / (double)channels + (double)epsilon);
        for (int64_t c = 0; c < channels; c++) {
            float normal = (float)(((double)in[c] - mean) * factor);
            to[c] = normal * (weight ? weight[c] : 1.0F) + (bias ? bias[c] : 0.0F);
        }
    }
}

void PLD_KERNEL(rms_norm)(const float *x, int64_t rows, int64_t channels, float epsilon, const float *weight,
                          float *out) {
    for (int64_t row = 0; row < rows; row++) {
        const float *in = x + row * channels;
        double squares = 0;
        for (int64_t c = 0; c < channels; c++) {
            squares += (double)in[c] * (double)in[c];
        }
        float factor = (float)(1 / sqrt(squares / (double)channels + (double)epsilon));
        for (int64_t c = 0; c < channels; c++) {
            out[row * channels + c] = in[c] * factor * (weight ? weight[c] : 1.0F);
        }
    }
}

void PLD_KERNEL(layer_norm_modulated)(const float *x, int64_t rows, int64_t channels, float epsilon,
                                      const float *scale, const float *shift, float *out) {
    PLD_KERNEL(layer_norm)(x, rows, channels, epsilon, NULL, NULL, out);
    for (int64_t i = 0; i < rows * channels; i++) {
        out[i] = out[i] * (1.0F + scale[i % channels]) + shift[i % channels];
    }
}

void PLD_KERNEL(rms_norm_modulated)(const float *x, int64_t rows, int64_t channels, float epsilon,
                                    const float *weight, const float *scale, const float *shift, float *out) {
    PLD_KERNEL(rms_norm)(x, rows, channels, epsilon, weight, out);
    for (int64_t i = 0; i < rows * channels; i++) {
        out[i] = out[i] * (1.0F + scale[i % channels]) + (shift ? shift[i % channels] : 0.0F);
    }
}
