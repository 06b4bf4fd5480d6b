/* SPDX-License-Identifier: Apache-2.0 */
#include "models/families/rows.h"
#include "models/pixart/pixart.h"

static const pld_part_layout layouts[] = {{0}};

/** Files of α hold an embedding of "no text" that diffusers leaves out. */
static const char *const unused[] = {"caption_projection.y_embedding", "y_embedder.y_embedding",
                                     "pos_embed.pos_embed", NULL};

static void facts(const void *config, pld_denoiser_facts *facts) {
    const pld_pixart_config *c = config;
    *facts = (pld_denoiser_facts){.channels = c->channels,
                                  .output_channels = c->out_channels,
                                  .multiple = c->patch,
                                  .least_side = c->patch,
                                  .sample_size = c->sample_size,
                                  .state_width = c->caption_width,
                                  .state_width_field = "caption_channels",
                                  .perturbed = "1", /* as diffusers' pipelines with PAG */
                                  .told = c->sizes ? PLD_PIXART_SIZES * PLD_PIXART_SINUSOIDS : 0};
}

static const pld_denoiser denoiser = {
    .facts = facts,
    .build = pld_pixart_build,
    .condition = pld_pixart_condition_build,
    .tell = pld_pixart_tell,
};

static const char *const unquantised[] = {"pos_embed.", "adaln_single.", "caption_projection.", "proj_out.",
                                          NULL};

const pld_part_class pld_class_pixart = {
    .name = "PixArtTransformer2DModel",
    .title = "transformer",
    .role = PLD_ROLE_DENOISER,
    .config_bytes = sizeof(pld_pixart_config),
    .read = pld_pixart_config_parse,
    .layouts = layouts,
    .unused = unused,
    .unquantised = unquantised,
    .denoiser = &denoiser,
};
