/* SPDX-License-Identifier: Apache-2.0 */
/** Loops over pictures and latents that run once or twice a picture. They are compiled once for every CPU, so their bytes
 *  depend on none. Planes are [channels, places], places = height · width, as diffusers keeps latents. */
#ifndef PLD_KERNELS_LATENTS_H
#define PLD_KERNELS_LATENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How a denoiser knows the latents x of an autoencoder: scale·(x − shift), [channels] each. */
typedef struct pld_latent_scaling {
    const float *scale, *shift;
} pld_latent_scaling;

/** Latents [channels, places] of a denoiser → those of its autoencoder, likewise. */
void pld_latents_unscale(const float *latents, int64_t channels, int64_t places,
                         const pld_latent_scaling *scaling, float *out);

/** mean + deviation·noise of moments [2·channels, places] (mean, log-variance between −30 and 20; diffusers'
 * DiagonalGaussianDistribution), scaled → [channels, places]. */
void pld_latents_draw(const float *moments, const float *noise, int64_t channels, int64_t places,
                      const pld_latent_scaling *scaling, float *out);

/** An autoencoder's latents [channels, places] → the denoiser's; in place. */
void pld_latents_scale(float *latents, int64_t channels, int64_t places, const pld_latent_scaling *scaling);

/** latents[channels, places] = kept where `redrawn` [places] says no. */
void pld_latents_keep(float *latents, const float *kept, const bool *redrawn, int64_t channels,
                      int64_t places);

/** out = x · factor; in place. */
void pld_scale_floats(const float *x, float factor, size_t count, float *out);

/** x between −1 and 1; in place. A number that is none stays so. */
void pld_clamp_picture(float *x, size_t count);

/** Index of the first number that is infinite or none; `count`: all are finite. */
size_t pld_first_not_finite(const float *x, size_t count);

/** Bytes [places, 3] → −1 … 1, [3, places]. */
void pld_picture_from_bytes(const uint8_t *bytes, size_t places, float *picture);

/** [3, places] → round(255·clamp(x/2 + 0.5)), halves to even, as diffusers' image processor does, [places, 3]. */
void pld_picture_to_bytes(const float *picture, size_t places, uint8_t *bytes);

/** Latents [channels, places] → colours [places, 3]: red, green and blue of each channel, and what is added to them, in
 * −1 … 1: factors [channels + 1][3]. */
void pld_latents_colour(const double (*factors)[3], const float *latents, int64_t channels, size_t places,
                        uint8_t *rgb);

/** Nothing is known of the channels: the first three, each spread over the range that it takes. */
void pld_latents_colour_blindly(const float *latents, int64_t channels, size_t places, uint8_t *rgb);

#endif
