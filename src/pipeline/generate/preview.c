/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/generate/preview.h"

#include <math.h>

#include "core/memory.h"

enum { RGB = 3 };

static uint8_t to_byte(double value) {
    const double level = (value + 1) / 2 * 255 + 0.5;
    return (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
}

/** latents [C, h, w] → rgb [h, w, 3]: a row of factors for each channel, and one that is added. */
static void colour_linearly(const double (*factors)[RGB], int64_t channels, const float *latents,
                            size_t places, uint8_t *rgb) {
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

/** Nothing is known of the channels: the first three, each spread over the range that it takes. */
static void colour_blindly(int64_t channels, const float *latents, size_t places, uint8_t *rgb) {
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

pld_status pld_preview_show(pld_generation *g, size_t call) {
    const pld_generate_options *o = g->options;
    const pld_schedule *schedule = pld_sampler_schedule(g->sampler);
    const size_t step = pld_sampler_step_of_call(g->sampler, call);
    const size_t places = (size_t)(g->latent_width * g->latent_height);
    const int64_t channels = g->model->denoiser_facts.channels;
    if (!o->preview ||
        (call + 1 < schedule->calls && pld_sampler_step_of_call(g->sampler, call + 1) == step)) {
        return PLD_OK;
    }
    uint8_t *rgb = pld_allocate(places, RGB);
    if (!rgb) {
        return pld_fail_memory(g->error, places * RGB, "preview");
    }
    /* model_input is free between two calls */
    pld_sampler_predict_x0(g->sampler, call, g->noise_pred, g->latents, g->model_input, g->count);
    if (g->model->latent_rgb_channels == channels) {
        colour_linearly((const double(*)[RGB])g->model->latent_rgb, channels, g->model_input, places, rgb);
    } else {
        colour_blindly(channels, g->model_input, places, rgb);
    }
    const pld_image image = {(int)g->latent_width, (int)g->latent_height, rgb};
    o->preview(o->preview_user, &image, (int)step + 1, (int)schedule->steps);
    pld_free(rgb);
    return PLD_OK;
}
