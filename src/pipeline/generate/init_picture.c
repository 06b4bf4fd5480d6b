/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/generate/init_picture.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "io/pictures/resample.h"
#include "kernels/latents.h"

enum { RGB = 3 };

static pld_status check_image(const pld_generation *g, const pld_image *image, const char *what) {
    enum { MOST_PIXELS = 1 << 26 };
    const bool right = image->pixels && image->width > 0 && image->height > 0 &&
                       (int64_t)image->width * image->height <= MOST_PIXELS;
    return right ? PLD_OK
                 : pld_fail(g->error, PLD_ERROR_ARGUMENT,
                            "%s: expected a picture of 1 to %d pixels, found %d x %d", what, MOST_PIXELS,
                            image->width, image->height);
}

/** How many of the steps are taken. Diffusers' pipelines of flow models round what is left out down, the others what is
 * taken. */
static size_t steps_taken(const pld_generation *g, size_t steps) {
    const double taken = (double)steps * g->options->strength;
    return pld_sampler_is_flow(g->sampler) ? steps - (size_t)((double)steps - taken) : (size_t)taken;
}

pld_status pld_init_picture_resolve(pld_generation *g) {
    const pld_generate_options *o = g->options;
    g->first_call = 0;
    g->report.strength = o->init_image ? o->strength : 1;
    if (!o->init_image) {
        return o->mask
                   ? pld_fail(
                         g->error, PLD_ERROR_ARGUMENT,
                         "mask: expected an initial picture (init-img) beside it, of which it keeps a part")
                   : PLD_OK;
    }
    PLD_TRY(check_image(g, o->init_image, "init-img"));
    if (o->mask) {
        PLD_TRY(check_image(g, o->mask, "mask"));
    }
    if (!(o->strength >= 0 && o->strength <= 1)) {
        return pld_fail(g->error, PLD_ERROR_ARGUMENT, "strength: expected a number from 0 to 1, found %g",
                        o->strength);
    }
    const size_t steps = pld_sampler_schedule(g->sampler)->steps;
    const size_t taken = steps_taken(g, steps);
    if (taken < 1) {
        return pld_fail(g->error, PLD_ERROR_ARGUMENT,
                        "strength: %g of %zu steps is less than one step; use at least %g, or more steps",
                        o->strength, steps, ceil(1000.0 / (double)steps) / 1000);
    }
    return pld_sampler_call_of_step(g->sampler, steps - taken, &g->first_call, g->error);
}

/** The run's size, −1 … 1, [3, H, W]. */
static pld_status prepare_picture(const pld_generation *g, float *picture) {
    const size_t pixels = (size_t)(g->width * g->height);
    const pld_image *image = g->options->init_image;
    uint8_t *sized = pld_allocate(pixels, RGB);
    if (!sized) {
        return pld_fail_memory(g->error, pixels * RGB, "init-img");
    }
    const pld_status status = pld_resample_lanczos(image->pixels, image->width, image->height, RGB, sized,
                                                   (int)g->width, (int)g->height, g->error);
    if (status == PLD_OK) {
        pld_picture_from_bytes(sized, pixels, picture);
    }
    pld_free(sized);
    return status;
}

/** The picture's latents as the denoiser knows them, from what the encoder gave: moments, of which they are drawn, or
 * themselves. The mean stands first among moments. */
static void take_latents(pld_generation *g, const float *encoded, float *noise) {
    const pld_autoencoder_facts *facts = &g->model->autoencoder_facts;
    const pld_latent_scaling scaling = {facts->scale, facts->shift};
    const int64_t places = g->latent_height * g->latent_width;
    if (facts->no_moments || facts->takes_mean) {
        memcpy(g->image_latents, encoded, g->count * sizeof *encoded);
        pld_latents_scale(g->image_latents, facts->channels, places, &scaling);
        return;
    }
    pld_rng_normal(&g->rng, noise, g->count);
    pld_latents_draw(encoded, noise, facts->channels, places, &scaling, g->image_latents);
}

/** Pillow's "L": ITU-R 601-2 luma in 16 bits. */
static uint8_t luma(const uint8_t *rgb) {
    return (uint8_t)((rgb[0] * 19595U + rgb[1] * 38470U + rgb[2] * 7471U + 0x8000U) >> 16);
}

/** The mask in the run's size, light or dark, then one pixel of each latent's: 1 where the picture is
 * redrawn. */
static pld_status prepare_mask(pld_generation *g) {
    const pld_image *mask = g->options->mask;
    const int64_t factor = g->model->autoencoder_facts.factor;
    const size_t pixels = (size_t)(g->width * g->height);
    uint8_t *sized = pld_allocate(pixels, RGB);
    g->redrawn = pld_allocate((size_t)(g->latent_width * g->latent_height), sizeof *g->redrawn);
    if (!sized || !g->redrawn) {
        pld_free(sized);
        return pld_fail_memory(g->error, pixels * RGB, "mask");
    }
    const pld_status status = pld_resample_lanczos(mask->pixels, mask->width, mask->height, RGB, sized,
                                                   (int)g->width, (int)g->height, g->error);
    size_t marked = 0;
    for (int64_t y = 0; status == PLD_OK && y < g->latent_height; y++) {
        for (int64_t x = 0; x < g->latent_width; x++) {
            const bool light = luma(sized + RGB * (y * factor * g->width + x * factor)) >= 128;
            g->redrawn[y * g->latent_width + x] = light;
            marked += light;
        }
    }
    pld_free(sized);
    if (status == PLD_OK && marked == 0) {
        return pld_fail(g->error, PLD_ERROR_ARGUMENT,
                        "mask: expected white where the picture is to be redrawn, found nothing light, so "
                        "nothing would change");
    }
    return status;
}

pld_status pld_init_picture_encode(pld_generation *g) {
    const size_t pixels = (size_t)(g->width * g->height);
    if (!g->options->init_image) {
        return PLD_OK;
    }
    g->image_latents = pld_allocate(g->count, sizeof *g->image_latents);
    g->noise = pld_allocate(g->count, sizeof *g->noise);
    float *picture = pld_allocate(pixels, RGB * sizeof *picture);
    float *encoded = pld_allocate(2 * g->count, sizeof *encoded);
    const bool there = g->image_latents && g->noise && picture && encoded;
    pld_status status = there ? prepare_picture(g, picture)
                              : pld_fail_memory(g->error, pixels * RGB * sizeof *picture, "init-img");
    if (status == PLD_OK) {
        status = pld_session_encode(g->session, picture, g->height, g->width, g->options->cancel, encoded,
                                    g->error);
    }
    if (status == PLD_OK) {
        take_latents(g, encoded, g->noise);
        status = g->options->mask ? prepare_mask(g) : PLD_OK;
    }
    pld_free(picture);
    pld_free(encoded);
    return status;
}

pld_status pld_init_picture_start(pld_generation *g) {
    const int64_t shape[] = {1, g->model->denoiser_facts.channels, g->latent_height, g->latent_width};
    const bool from_noise = g->options->mask && g->options->strength == 1;
    if (!g->options->init_image) {
        return PLD_OK;
    }
    memcpy(g->noise, g->latents, g->count * sizeof *g->noise);
    if (from_noise) {
        const float scale = pld_sampler_schedule(g->sampler)->init_noise_sigma;
        pld_scale_floats(g->noise, scale, g->count, g->latents);
    } else {
        pld_sampler_add_noise(g->sampler, g->first_call, g->image_latents, g->noise, g->latents, g->count);
    }
    if (g->options->mask) {
        /* diffusers encodes the masked picture for networks of nine channels, and draws for it in any case */
        float *spare = pld_allocate(g->count, sizeof *spare);
        if (!spare) {
            return pld_fail_memory(g->error, g->count * sizeof *spare, "mask");
        }
        pld_rng_normal(&g->rng, spare, g->count);
        pld_free(spare);
    }
    return pld_dump_add(&g->dump, "image_latents", g->image_latents, 4, shape, g->error);
}

void pld_init_picture_blend(pld_generation *g, size_t call) {
    if (!g->redrawn) {
        return;
    }
    const float *kept = g->image_latents;
    if (call + 1 < pld_sampler_schedule(g->sampler)->calls) {
        /* model_input is free between two calls */
        pld_sampler_add_noise(g->sampler, call + 1, g->image_latents, g->noise, g->model_input, g->count);
        kept = g->model_input;
    }
    pld_latents_keep(g->latents, kept, g->redrawn, g->model->denoiser_facts.channels,
                     g->latent_height * g->latent_width);
}

void pld_init_picture_free(pld_generation *g) {
    pld_free(g->image_latents);
    pld_free(g->noise);
    pld_free(g->redrawn);
}
