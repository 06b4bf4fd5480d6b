/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/latents.h"

#include <math.h>

enum { RGB = 3 };

void pld_latents_unscale(const float *latents, int64_t channels, int64_t places,
                         const pld_latent_scaling *scaling, float *out) {
    for (int64_t c = 0; c < channels; c++) {
        for (int64_t i = c * places; i < (c + 1) * places; i++) {
            out[i] = latents[i] / scaling->scale[c] + scaling->shift[c];
        }
    }
}

void pld_latents_draw(const float *moments, const float *noise, int64_t channels, int64_t places,
                      const pld_latent_scaling *scaling, float *out) {
    const float *variances = moments + channels * places;
    for (int64_t i = 0; i < channels * places; i++) {
        const float log_variance = fminf(fmaxf(variances[i], -30.0F), 20.0F);
        out[i] = moments[i] + expf(0.5F * log_variance) * noise[i];
    }
    pld_latents_scale(out, channels, places, scaling);
}

void pld_latents_scale(float *latents, int64_t channels, int64_t places, const pld_latent_scaling *scaling) {
    for (int64_t c = 0; c < channels; c++) {
        float *plane = latents + c * places;
        for (int64_t i = 0; i < places; i++) {
            plane[i] = scaling->scale[c] * (plane[i] - scaling->shift[c]);
        }
    }
}

void pld_latents_keep(float *latents, const float *kept, const bool *redrawn, int64_t channels,
                      int64_t places) {
    for (int64_t i = 0; i < channels * places; i++) {
        if (!redrawn[i % places]) {
            latents[i] = kept[i];
        }
    }
}

void pld_scale_floats(const float *x, float factor, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) {
        out[i] = x[i] * factor;
    }
}

void pld_clamp_picture(float *x, size_t count) {
    for (size_t i = 0; i < count; i++) {
        x[i] = x[i] < -1 ? -1 : x[i] > 1 ? 1 : x[i];
    }
}

size_t pld_first_not_finite(const float *x, size_t count) {
    size_t i = 0;
    while (i < count && isfinite(x[i])) {
        i++;
    }
    return i;
}

void pld_picture_from_bytes(const uint8_t *bytes, size_t places, float *picture) {
    for (size_t i = 0; i < places; i++) {
        for (size_t c = 0; c < RGB; c++) {
            picture[c * places + i] = 2.0F * ((float)bytes[i * RGB + c] / 255.0F) - 1.0F;
        }
    }
}

void pld_picture_to_bytes(const float *picture, size_t places, uint8_t *bytes) {
    for (size_t i = 0; i < places; i++) {
        for (size_t c = 0; c < RGB; c++) {
            float x = picture[c * places + i] * 0.5F + 0.5F;
            x = x < 0 ? 0 : (x > 1 ? 1 : x);
            bytes[i * RGB + c] = (uint8_t)rintf(x * 255.0F);
        }
    }
}

static uint8_t to_byte(double value) {
    const double level = (value + 1) / 2 * 255 + 0.5;
    return (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
}

void pld_latents_colour(const double (*factors)[3], const float *latents, int64_t channels, size_t places,
                        uint8_t *rgb) {
    for (size_t i = 0; i < places; i++) {
        double sum[RGB] = {factors[channels][0], factors[channels][1], factors[channels][2]};
        for (int64_t c = 0; c < channels; c++) {
            const double value = (double)latents[(size_t)c * places + i];
            for (int k = 0; k < RGB; k++) {
                sum[k] += factors[c][k] * value;
            }
        }
        for (int k = 0; k < RGB; k++) {
            rgb[RGB * i + (size_t)k] = to_byte(sum[k]);
        }
    }
}

void pld_latents_colour_blindly(const float *latents, int64_t channels, size_t places, uint8_t *rgb) {
    for (int k = 0; k < RGB; k++) {
        const float *values = latents + (size_t)(k < channels ? k : channels - 1) * places;
        double sum = 0;
        double squares = 0;
        for (size_t i = 0; i < places; i++) {
            sum += (double)values[i];
            squares += (double)values[i] * (double)values[i];
        }
        const double mean = sum / (double)places;
        const double spread = 2 * sqrt(fmax(squares / (double)places - mean * mean, 1e-12));
        for (size_t i = 0; i < places; i++) {
            rgb[RGB * i + (size_t)k] = to_byte(((double)values[i] - mean) / spread);
        }
    }
}
