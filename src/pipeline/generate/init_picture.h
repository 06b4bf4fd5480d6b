/* SPDX-License-Identifier: Apache-2.0 */
/** A generation that begins at a picture (image to image) and may keep a part of it (inpainting), as
 * diffusers' StableDiffusionImg2ImgPipeline and the four-channel StableDiffusionInpaintPipeline do. Without a
 * picture in the options every function does nothing. */
#ifndef PLD_PIPELINE_GENERATE_INIT_PICTURE_H
#define PLD_PIPELINE_GENERATE_INIT_PICTURE_H

#include "pipeline/generate/generation.h"

/** Check picture, mask and strength; find the call to begin with. The sampler is there. */
pld_status pld_init_picture_resolve(pld_generation *g);

/** Encode the picture in the run's size and draw its latents from the posterior: the generator's first draw.
 */
pld_status pld_init_picture_encode(pld_generation *g);

/** g->latents hold unit noise: make of them what the first call starts from. */
pld_status pld_init_picture_start(pld_generation *g);

/** After call `call`: outside the mask put back the picture with the noise of the next call. */
void pld_init_picture_blend(pld_generation *g, size_t call);

void pld_init_picture_free(pld_generation *g);

#endif
