/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/generate/preview.h"

#include "core/memory.h"
#include "kernels/latents.h"

enum { RGB = 3 };

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
        pld_latents_colour((const double(*)[RGB])g->model->latent_rgb, g->model_input, channels, places, rgb);
    } else {
        pld_latents_colour_blindly(g->model_input, channels, places, rgb);
    }
    const pld_image image = {(int)g->latent_width, (int)g->latent_height, rgb};
    o->preview(o->preview_user, &image, (int)step + 1, (int)schedule->steps);
    pld_free(rgb);
    return PLD_OK;
}
